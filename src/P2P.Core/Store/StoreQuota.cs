using System.Globalization;

namespace P2P.Core.Store;

/// <summary>
/// The bytes that blocks of our own may take. Space is reserved before a block is written and held until its row is committed, so that batches that are
/// open at the same time cannot exceed it together. Thread-safe.
/// </summary>
/// <param name="limit">The most (bytes).</param>
/// <param name="committed">What the index says is taken (bytes).</param>
internal sealed class StoreQuota(long limit, Func<long> committed)
{
    private readonly Lock _gate = new();
    private long _reserved; // guarded by the gate

    /// <summary>The most (bytes).</summary>
    public long Limit => limit;

    /// <summary>What is left (bytes).</summary>
    public long Free
    {
        get
        {
            lock (_gate)
                return Math.Max(0, limit - committed() - _reserved);
        }
    }

    /// <summary>Takes space; the caller gives it back once the row counts, or when there will be none.</summary>
    /// <exception cref="P2PException"><see cref="P2PErrorCode.Quota"/>: there is not so much left.</exception>
    public void Reserve(long bytes)
    {
        long taken;
        lock (_gate)
        {
            taken = committed() + _reserved;
            if (bytes <= limit - taken)
            {
                _reserved += bytes;
                return;
            }
        }
        throw new P2PException(P2PErrorCode.Quota, string.Create(
            CultureInfo.InvariantCulture,
            $"The store may hold {limit} bytes of blocks (storage.max_owned_bytes), {taken} are taken and {bytes} more do not fit. " +
            $"Let something go (p2p pin rm, p2p unshare, then p2p gc), or raise the limit."));
    }

    public void Release(long bytes)
    {
        lock (_gate)
            _reserved -= bytes;
    }
}
