using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Exchange;

/// <summary>The store as the exchange sees it: what is denied is not in it.</summary>
internal sealed class StoreBlocks(BlockStore store, DenyList denied) : IExchangeBlocks
{
    public BlockAvailability Look(in Cid cid, PeerId asker) => denied.Contains(cid) ? default : store.Look(cid, asker);

    public bool Has(in Cid cid) => !denied.Contains(cid) && store.Has(cid);

    public IExchangeBlock? Open(in Cid cid, bool verify) =>
        !denied.Contains(cid) && store.TryOpenBlock(cid, verify ? BlockReadPurpose.Verify : BlockReadPurpose.Serve, out StoredBlock block) ? new Opened(block) : null;

    /// <summary>Holds the one copy of the value that owns the block.</summary>
    private sealed class Opened(StoredBlock block) : IExchangeBlock
    {
        public int Length => block.Length;

        public int Read(Span<byte> destination, int offset) => block.Read(destination, offset);

        public void Dispose() => block.Dispose();
    }
}
