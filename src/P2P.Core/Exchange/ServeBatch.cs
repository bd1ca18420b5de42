using System.IO.Pipelines;
using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>
/// One answer being put together: presences, small blocks copied side by side, large blocks opened and read while they are sent. A message
/// states its length first, so everything that can fail is tried before; only a large source file that shrinks this very moment can still break it.
/// </summary>
internal sealed class ServeBatch(BlockBufferPool buffers) : IDisposable
{
    /// <summary>Blocks up to this size are copied (bytes), so that a message with a hundred small files does not hold a hundred files open.</summary>
    public const int SmallBlockBytes = 64 << 10;

    /// <summary>Answers in one message (count).</summary>
    public const int MaxAnswers = 1_024;

    /// <summary>What is written between two flushes (bytes).</summary>
    private const int FlushBytes = 128 << 10;

    private readonly List<(Cid Cid, bool Have)> _presences = [];
    private readonly List<Item> _blocks = [];
    private BlockBuffer? _small;
    private int _smallUsed;
    private int _messageBytes;

    /// <summary>Bytes of blocks in it.</summary>
    public int BlockBytes { get; private set; }

    public int BlockCount => _blocks.Count;

    public bool IsEmpty => _presences.Count == 0 && _blocks.Count == 0;

    public bool IsFull => _presences.Count + _blocks.Count >= MaxAnswers || BlockBytes >= ServeQueue.TurnBytes || _smallUsed > ServeQueue.TurnBytes - SmallBlockBytes;

    /// <summary>The wants that its blocks answer.</summary>
    public IEnumerable<LedgerWant> Wants => _blocks.Select(static item => item.Want);

    public void AddPresence(in Cid cid, bool have)
    {
        _presences.Add((cid, have));
        _messageBytes += BitswapWriter.SizeOfPresence(cid, have);
    }

    /// <summary>Adds an opened block, which belongs to the batch from now on.</summary>
    /// <exception cref="P2PException">A small block could not be read.</exception>
    public void AddBlock(LedgerWant want, IExchangeBlock block)
    {
        int length = block.Length;
        if (length <= SmallBlockBytes)
        {
            using (block)
            {
                _small ??= buffers.Rent(ServeQueue.TurnBytes);
                ReadAll(block, _small.Memory.Span.Slice(_smallUsed, length));
            }

            _blocks.Add(new Item(want, length, Large: null, _smallUsed));
            _smallUsed += length;
        }
        else
        {
            _blocks.Add(new Item(want, length, block, 0));
        }

        BlockBytes += length;
        _messageBytes += BitswapWriter.SizeOfBlock(want.Cid, length);
    }

    /// <summary>Writes the message and flushes it.</summary>
    /// <exception cref="IOException">The stream failed; the batch may be written again to another one.</exception>
    /// <exception cref="P2PException">A source failed in the middle; the stream is of no use any more.</exception>
    public async ValueTask WriteAsync(OutboundStream stream, CancellationToken cancellationToken)
    {
        PipeWriter output = stream.Output;
        BitswapWriter.WriteMessageLength(output, _messageBytes);
        foreach ((Cid cid, bool have) in _presences)
            BitswapWriter.WritePresence(output, cid, have);
        int unflushed = 0;
        foreach (Item item in _blocks)
        {
            BitswapWriter.WriteBlockHeader(output, item.Want.Cid, item.Length);
            for (int sent = 0; sent < item.Length;)
            {
                int count = WriteSome(output, item, sent);
                sent += count;
                unflushed += count;
                if (unflushed >= FlushBytes)
                {
                    await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
                    unflushed = 0;
                }
            }
        }

        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        foreach (Item item in _blocks)
            item.Large?.Dispose();
        _blocks.Clear();
        _small?.Dispose();
        _small = null;
    }

    /// <summary>Fills the stream's own memory from the buffer of small blocks or straight from the file.</summary>
    private int WriteSome(PipeWriter output, in Item item, int offset)
    {
        Span<byte> memory = output.GetSpan();
        int count = Math.Min(memory.Length, item.Length - offset);
        if (item.Large is null)
            _small!.Span.Slice(item.SmallOffset + offset, count).CopyTo(memory);
        else
            count = ReadSome(item.Large, memory[..count], offset);
        output.Advance(count);
        return count;
    }

    private static void ReadAll(IExchangeBlock block, Span<byte> destination)
    {
        for (int read = 0; read < destination.Length;)
            read += ReadSome(block, destination[read..], read);
    }

    private static int ReadSome(IExchangeBlock block, Span<byte> destination, int offset)
    {
        int read = block.Read(destination, offset);
        return read > 0 ? read : throw new P2PException(P2PErrorCode.SourceChanged, "A block ended before its length.");
    }

    private readonly record struct Item(LedgerWant Want, int Length, IExchangeBlock? Large, int SmallOffset);
}
