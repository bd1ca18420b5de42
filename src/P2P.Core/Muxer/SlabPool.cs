using System.Buffers;
using P2P.Core.Transport;

namespace P2P.Core.Muxer;

/// <summary>A piece of a stream's outgoing data, with room for the frame header in front of it.</summary>
internal sealed class SendSlab(byte[] array, bool isSmall)
{
    /// <summary>Payload of a full slab (bytes): with its header it fills one Noise frame of 65519 bytes exactly.</summary>
    public const int MaxPayloadBytes = 65519 - YamuxHeader.Bytes;

    /// <summary>What a full-sized slab occupies (bytes).</summary>
    public const int LargeBytes = 64 * 1024;

    /// <summary>What a slab for a short message occupies (bytes).</summary>
    public const int SmallBytes = 4 * 1024;

    public byte[] Array { get; } = array;

    public bool IsSmall { get; } = isSmall;

    /// <summary>What it counts against the limits on buffered data (bytes): what it occupies, not what it carries.</summary>
    public int Charge => IsSmall ? SmallBytes : LargeBytes;

    public int Capacity => IsSmall ? SmallBytes - YamuxHeader.Bytes : MaxPayloadBytes;

    /// <summary>Payload written by the application (bytes).</summary>
    public int Length { get; set; }

    /// <summary>Payload already sent (bytes).</summary>
    public int Sent { get; set; }

    public Memory<byte> Free => Array.AsMemory(YamuxHeader.Bytes + Length, Capacity - Length);

    /// <summary>
    /// The next <paramref name="count"/> bytes as a frame. The header goes right before them: there lies the room in front of the slab, or payload that was
    /// sent already.
    /// </summary>
    public Span<byte> TakeFrame(uint streamId, YamuxFlags flags, int count)
    {
        Span<byte> frame = Array.AsSpan(Sent, YamuxHeader.Bytes + count);
        new YamuxHeader(YamuxFrameType.Data, flags, streamId, (uint)count).Write(frame);
        Sent += count;
        return frame;
    }
}

/// <summary>The muxer's memory, shared by all sessions of the process: slabs for what goes out, segments for what came in.</summary>
internal sealed class SlabPool : MemoryPool<byte>
{
    /// <summary>Objects kept for reuse (count); the collector takes what is returned beyond it.</summary>
    private const int RetainedMax = 512;

    private readonly PinnedBufferPool _large = new(SendSlab.LargeBytes, retainedMax: 256);
    private readonly PinnedBufferPool _small = new(SendSlab.SmallBytes, retainedMax: 256);
    private readonly Stack<SendSlab> _largeSlabs = new();
    private readonly Stack<SendSlab> _smallSlabs = new();
    private readonly Stack<Segment> _segments = new();
    private readonly Lock _gate = new(); // guards the stacks

    private SlabPool()
    {
    }

    public static new SlabPool Shared { get; } = new();

    public override int MaxBufferSize => SendSlab.LargeBytes;

    public SendSlab RentSlab(bool small)
    {
        Stack<SendSlab> stack = small ? _smallSlabs : _largeSlabs;
        lock (_gate)
        {
            if (stack.TryPop(out SendSlab? slab))
                return slab;
        }
        return new SendSlab((small ? _small : _large).Rent(), small);
    }

    public void Return(SendSlab slab)
    {
        slab.Length = slab.Sent = 0;
        Stack<SendSlab> stack = slab.IsSmall ? _smallSlabs : _largeSlabs;
        lock (_gate)
        {
            if (stack.Count < RetainedMax / 4)
            {
                stack.Push(slab);
                return;
            }
        }
        (slab.IsSmall ? _small : _large).Return(slab.Array);
    }

    /// <summary>A segment of received data.</summary>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, SendSlab.LargeBytes);
        bool small = minBufferSize <= SendSlab.SmallBytes;
        Segment? segment;
        lock (_gate)
            _segments.TryPop(out segment);
        segment ??= new Segment(this);
        segment.Attach((small ? _small : _large).Rent());
        return segment;
    }

    protected override void Dispose(bool disposing)
    {
        // Lives as long as the process.
    }

    private void Recycle(Segment segment, byte[] array)
    {
        (array.Length == SendSlab.SmallBytes ? _small : _large).Return(array);
        lock (_gate)
        {
            if (_segments.Count < RetainedMax)
                _segments.Push(segment);
        }
    }

    private sealed class Segment(SlabPool pool) : IMemoryOwner<byte>
    {
        private byte[]? _array;

        public Memory<byte> Memory => _array ?? throw new ObjectDisposedException(nameof(Segment));

        public void Attach(byte[] array) => _array = array;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _array, null) is { } array)
                pool.Recycle(this, array);
        }
    }
}
