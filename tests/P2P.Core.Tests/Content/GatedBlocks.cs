using P2P.Core.Blocks;

namespace P2P.Core.Tests.Content;

/// <summary>A source whose blocks wait until the test lets them through; counts who waits and what was asked.</summary>
internal sealed class GatedBlocks(MemoryBlocks inner) : IBlockSource, IDisposable
{
    private readonly SemaphoreSlim _gate = new(0);
    private readonly Lock _lock = new();
    private readonly List<Cid> _asked = [];
    private int _waiting;

    /// <summary>Requests that have not come through.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Everything that was asked for, in order.</summary>
    public IReadOnlyList<Cid> Asked
    {
        get
        {
            lock (_lock)
                return [.. _asked];
        }
    }

    /// <summary>Lets so many through.</summary>
    public void Open(int count) => _gate.Release(count);

    /// <summary>Takes back one that nobody has used. False: there is none.</summary>
    public bool TryTake() => _gate.Wait(0);

    public void Dispose() => _gate.Dispose();

    public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken)
    {
        lock (_lock)
            _asked.Add(cid);
        Interlocked.Increment(ref _waiting);
        try
        {
            await _gate.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        return await inner.GetAsync(cid, cancellationToken);
    }

    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) =>
        inner.RequestAsync(cid, expectedBytes, sink, tag, cancellationToken);
}
