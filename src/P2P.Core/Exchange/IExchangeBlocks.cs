using P2P.Core.Store;

namespace P2P.Core.Exchange;

/// <summary>The blocks of this node as the exchange sees them: the store in a node, a dictionary in tests. Thread-safe, a few microseconds a call.</summary>
internal interface IExchangeBlocks
{
    /// <summary>Whether the block is here, whether the peer may have it (D9), and how long it is.</summary>
    BlockAvailability Look(in Cid cid, PeerId asker);

    /// <summary>Whether the block is here, for ourselves.</summary>
    bool Has(in Cid cid);

    /// <summary>Opens a block to read it. Null: it is not here, or its source has changed.</summary>
    /// <param name="cid">The block.</param>
    /// <param name="verify">Hash it first: it is for ourselves, or the peer asked for it a short while ago already, so something may be wrong with it (D4).</param>
    IExchangeBlock? Open(in Cid cid, bool verify);
}

/// <summary>The bytes of one block, opened for reading.</summary>
internal interface IExchangeBlock : IDisposable
{
    /// <summary>Its size (bytes).</summary>
    int Length { get; }

    /// <summary>Copies bytes from the offset on, as many as fit.</summary>
    /// <exception cref="P2PException">The source became shorter meanwhile.</exception>
    int Read(Span<byte> destination, int offset);
}
