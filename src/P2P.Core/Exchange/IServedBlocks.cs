using P2P.Core.Store;

namespace P2P.Core.Exchange;

/// <summary>The blocks that may leave this node, and to whom (D9): the store in a node, a dictionary in tests. Thread-safe, a few microseconds a call.</summary>
internal interface IServedBlocks
{
    /// <summary>Whether the block is here, whether the peer may have it, and how long it is.</summary>
    BlockAvailability Look(in Cid cid, PeerId asker);

    /// <summary>Opens a block to send it. Null: it is not here, or its source has changed.</summary>
    /// <param name="cid">The block.</param>
    /// <param name="verify">Hash it first: the peer asked for it a short while ago already, so something may be wrong with it (D4).</param>
    IServedBlock? Open(in Cid cid, bool verify);
}

/// <summary>The bytes of one block, opened for sending.</summary>
internal interface IServedBlock : IDisposable
{
    /// <summary>Its size (bytes).</summary>
    int Length { get; }

    /// <summary>Copies bytes from the offset on, as many as fit.</summary>
    /// <exception cref="P2PException">The source became shorter meanwhile.</exception>
    int Read(Span<byte> destination, int offset);
}
