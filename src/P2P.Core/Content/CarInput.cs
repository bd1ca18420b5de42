using System.Buffers;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>The bytes of an archive as they come, with an end that an archive inside another sets.</summary>
internal sealed class CarInput(Stream source)
{
    private const int BufferBytes = 64 << 10;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private long _limit = long.MaxValue;

    /// <summary>How many bytes were taken.</summary>
    public long Position { get; private set; }

    /// <summary>What is buffered and may be looked at.</summary>
    public ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, (int)Math.Min(_end - _start, _limit - Position));

    /// <summary>From here on the input ends after so many bytes.</summary>
    public void Limit(long bytes) => _limit = Position + bytes;

    /// <summary>Whether a source that knows its length has so many bytes beyond what was taken. True when it does not know.</summary>
    public bool MayHave(long bytes) => !source.CanSeek || source.Length - source.Position + (_end - _start) >= bytes;

    /// <summary>Buffers at least so many bytes, at most 64 KiB. False: the input ends before.</summary>
    public async ValueTask<bool> FillAsync(int count, CancellationToken cancellationToken)
    {
        while (Buffered.Length < count)
        {
            if (_limit - Position < count)
                return false;
            if (_start + count > _buffer.Length)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            int read = await source.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return false;
            _end += read;
        }

        return true;
    }

    /// <summary>Takes buffered bytes.</summary>
    public void Take(int count)
    {
        _start += count;
        Position += count;
        if (_start == _end)
            _start = _end = 0;
    }

    /// <summary>Reads exactly that many bytes, the large ones without a detour. False: the input ends before.</summary>
    public async ValueTask<bool> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_limit - Position < destination.Length)
            return false;
        int here = Math.Min(Buffered.Length, destination.Length);
        Buffered[..here].CopyTo(destination.Span);
        Take(here);
        for (destination = destination[here..]; !destination.IsEmpty;)
        {
            int read = await source.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return false;
            Position += read;
            destination = destination[read..];
        }

        return true;
    }

    /// <summary>Passes over bytes. False: the input ends before.</summary>
    public async ValueTask<bool> SkipAsync(long count, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            if (!await FillAsync(1, cancellationToken).ConfigureAwait(false))
                return false;
            int step = (int)Math.Min(count, Buffered.Length);
            Take(step);
            count -= step;
        }

        return true;
    }

    /// <summary>Reads one length. Null: the input ended before its first byte.</summary>
    /// <exception cref="P2PException">It is cut or malformed.</exception>
    public async ValueTask<ulong?> ReadLengthAsync(CancellationToken cancellationToken)
    {
        for (int wanted = 1; ; wanted++)
        {
            if (!await FillAsync(wanted, cancellationToken).ConfigureAwait(false))
                return wanted == 1 ? null : throw CarFault.At(Position, "it ends inside a length");
            OperationStatus status = UVarint.TryRead(Buffered, out ulong value, out int consumed);
            if (status == OperationStatus.NeedMoreData)
                continue;
            if (status != OperationStatus.Done)
                throw CarFault.At(Position, "a length in it is malformed");
            Take(consumed);
            return value;
        }
    }
}
