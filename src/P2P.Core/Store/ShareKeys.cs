using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// The keys of private shares that blocks in the user's files are sealed with: unwrapped when the first block is asked for, wiped when the store is closed.
/// As many as the user has private shares. Thread-safe.
/// </summary>
/// <param name="readers">Read the index.</param>
/// <param name="wrap">Unwraps keys; null: none can be.</param>
/// <param name="logger">Where its log goes.</param>
internal sealed class ShareKeys(IndexReaders readers, ShareKeyWrap? wrap, ILogger logger) : IDisposable
{
    private readonly ConcurrentDictionary<long, BlockSealer?> _sealers = new(); // null: told that it cannot be unwrapped

    /// <summary>What seals with a key; null when the key is not known or cannot be unwrapped.</summary>
    public BlockSealer? Find(long id)
    {
        if (_sealers.TryGetValue(id, out BlockSealer? known))
            return known;
        BlockSealer? unwrapped = Unwrap(id);
        if (!_sealers.TryAdd(id, unwrapped))
            unwrapped?.Dispose(); // another thread was faster
        else if (unwrapped is null)
            StoreLog.ShareKeyNotUnwrapped(logger, id);
        return _sealers[id];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (BlockSealer? sealer in _sealers.Values)
            sealer?.Dispose();
    }

    private BlockSealer? Unwrap(long id)
    {
        List<byte[]> wrapped;
        using (IndexReaders.Lease lease = readers.Take())
            wrapped = lease.Reader.Query("SELECT wrapped FROM share_keys WHERE id=?1", row => row.GetBlob(0).ToArray(), statement => statement.Bind(1, id));
        Span<byte> key = stackalloc byte[BlockSealer.KeyBytes];
        if (wrapped is not [byte[] only] || wrap?.TryUnwrap(only, key) != true)
            return null;
        var sealer = new BlockSealer(key);
        CryptographicOperations.ZeroMemory(key);
        return sealer;
    }
}
