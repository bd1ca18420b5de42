using System.Threading.Channels;
using P2P.Core.Blocks;

namespace P2P.Core.Tests.Content;

/// <summary>Blocks in memory as a source: delivers out of order from several workers, and can fail, withhold and count.</summary>
internal sealed class MemoryBlocks : IBlockSource, IAsyncDisposable
{
    private const int MaxRequests = 64;

    private readonly Dictionary<MultihashKey, byte[]> _blocks = [];
    private readonly Lock _gate = new(); // guards _random, _waiting and the counters
    private readonly Random _random;
    private readonly Channel<bool> _room = Channel.CreateBounded<bool>(MaxRequests);
    private readonly List<(Cid Cid, IBlockSink Sink, long Tag)> _waiting = [];
    private readonly Channel<bool> _work = Channel.CreateUnbounded<bool>();
    private readonly Task[] _workers;

    public MemoryBlocks(int seed = 1, int workers = 2)
    {
        _random = new Random(seed);
        _workers = [.. Enumerable.Range(0, workers).Select(_ => Task.Run(DeliverAsync))];
    }

    public BlockBufferPool Buffers { get; } = new();

    public int Count => _blocks.Count;

    /// <summary>Called before each delivery; may throw to fail it.</summary>
    public Action<Cid>? OnDeliver { get; set; }

    /// <summary>Bytes delivered of leaves and nodes.</summary>
    public long BytesServed { get; private set; }

    public int NodesServed { get; private set; }

    public void Add(in Cid cid, ReadOnlySpan<byte> block) => _blocks[cid.Key] = block.ToArray();

    public Cid AddRaw(ReadOnlySpan<byte> block)
    {
        Cid cid = Cid.OfRaw(block);
        Add(in cid, block);
        return cid;
    }

    public Cid AddNode(ReadOnlySpan<byte> block)
    {
        Cid cid = Cid.OfDagPb(block);
        Add(in cid, block);
        return cid;
    }

    public bool Has(Cid cid) => _blocks.ContainsKey(cid.Key);

    public void Remove(Cid cid) => _blocks.Remove(cid.Key);

    public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        byte[] block = Find(cid);
        lock (_gate)
        {
            NodesServed++;
            BytesServed += block.Length;
        }

        BlockBuffer buffer = Buffers.Rent(block.Length);
        block.CopyTo(buffer.Memory.Span);
        return buffer;
    }

    public async ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken)
    {
        await _room.Writer.WriteAsync(true, cancellationToken);
        lock (_gate)
            _waiting.Add((cid, sink, tag));
        _work.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await Task.WhenAll(_workers);
    }

    private byte[] Find(Cid cid)
    {
        OnDeliver?.Invoke(cid);
        return _blocks.TryGetValue(cid.Key, out byte[]? block) ? block : throw new P2PException(P2PErrorCode.NotFound, $"nobody has {cid}");
    }

    private async Task DeliverAsync()
    {
        await foreach (bool _ in _work.Reader.ReadAllAsync())
        {
            Cid cid;
            IBlockSink sink;
            long tag;
            lock (_gate)
            {
                int index = _random.Next(_waiting.Count);
                (cid, sink, tag) = _waiting[index];
                _waiting.RemoveAt(index);
            }

            await _room.Reader.ReadAsync();
            try
            {
                byte[] block = Find(cid);
                lock (_gate)
                    BytesServed += block.Length;
                sink.OnBlock(in cid, tag, block);
            }
            catch (Exception error)
            {
                sink.OnFailed(in cid, tag, error);
            }
        }
    }
}
