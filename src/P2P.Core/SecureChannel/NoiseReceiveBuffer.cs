using System.Diagnostics;
using P2P.Core.Transport;

namespace P2P.Core.SecureChannel;

/// <summary>
/// Received bytes that were not read yet, in one piece. Small while a connection idles, so that hundreds of them cost little; large and pooled
/// while it carries bulk, so that one receive brings many frames.
/// </summary>
/// <remarks>No lock: its one reader owns it.</remarks>
internal sealed class NoiseReceiveBuffer
{
    /// <summary>The size at rest (bytes): handshakes, control messages.</summary>
    public const int SmallBytes = 16 * 1024;

    /// <summary>The size under load (bytes): several frames of 64 KiB, few enough to stay in the second-level cache.</summary>
    public const int LargeBytes = 512 * 1024;

    /// <summary>Receives in a row that would have fitted the small buffer before we go back to it (count).</summary>
    private const int QuietReceives = 16;

    private static readonly PinnedBufferPool Large = new(LargeBytes, retainedMax: 8);

    private byte[] _buffer;
    private readonly byte[] _small;
    private int _start;
    private int _end;
    private int _quiet;
    private bool _wasFilled;

    public NoiseReceiveBuffer(ReadOnlySpan<byte> initial)
    {
        if (initial.Length > SmallBytes / 2)
            throw new PeerProtocolException("the peer sent more than a first message before the handshake");
        _buffer = _small = new byte[SmallBytes];
        initial.CopyTo(_buffer);
        _end = initial.Length;
    }

    /// <summary>Whether it may take a large buffer. Not during the handshake: whoever has not said who it is gets no more than the small one.</summary>
    public bool MayGrow { get; set; }

    public Span<byte> Pending => _buffer.AsSpan(_start, _end - _start);

    public ReadOnlyMemory<byte> Slice(int offset, int length) => _buffer.AsMemory(_start + offset, length);

    public void Consume(int count)
    {
        Debug.Assert(count <= _end - _start, "more than there is");
        _start += count;
    }

    /// <summary>Where the next receive goes, with room for at least <paramref name="wanted"/> bytes from the start of <see cref="Pending"/>.</summary>
    public Memory<byte> MakeRoom(int wanted)
    {
        int pending = _end - _start;
        if (MayGrow && _buffer.Length == SmallBytes && (_wasFilled || wanted > SmallBytes))
            MoveTo(Large.Rent());
        else if (_buffer.Length == LargeBytes && _quiet >= QuietReceives && Math.Max(wanted, pending) <= SmallBytes / 2)
            MoveTo(_small);
        else if (pending == 0)
            _start = _end = 0;
        else if (_start > 0 && (_start + wanted > _buffer.Length || _start > _buffer.Length / 2))
            MoveTo(_buffer);
        return _buffer.AsMemory(_end);
    }

    public void Added(int count)
    {
        _wasFilled = count == _buffer.Length - _end;
        _quiet = count <= SmallBytes / 2 ? _quiet + 1 : 0;
        _end += count;
    }

    /// <summary>Gives pooled memory back. Nothing may read or receive any more.</summary>
    public void Release()
    {
        _start = _end = 0;
        if (_buffer.Length == LargeBytes)
            Large.Return(_buffer);
        _buffer = [];
    }

    private void MoveTo(byte[] target)
    {
        int pending = _end - _start;
        Pending.CopyTo(target);
        if (target != _buffer && _buffer.Length == LargeBytes)
            Large.Return(_buffer);
        _buffer = target;
        _start = 0;
        _end = pending;
        _quiet = 0;
        _wasFilled = false;
    }
}
