using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>Gets the inner nodes of content: out of the id itself, from the store when they are kept there, or from the source.</summary>
/// <param name="source">Where they come from.</param>
/// <param name="keeper">Looks first and keeps what arrives; null: neither.</param>
internal sealed class NodeLoader(IBlockSource source, INodeKeeper? keeper)
{
    /// <summary>Where data blocks come from too.</summary>
    public IBlockSource Source => source;

    /// <summary>Gets the node's block, verified. Dispose it.</summary>
    public async Task<NodeBlock> LoadAsync(Cid cid, CancellationToken cancellationToken)
    {
        if (cid.Codec is not (Cid.DagPbCodec or Cid.RawCodec))
            throw ContentFault.Contradiction(in cid, $"is of a kind that is no file or folder (codec 0x{cid.Codec:x})");
        if (!BlockVerification.IsAccepted(cid, out string? why))
            throw new P2PException(P2PErrorCode.Integrity, $"Block {cid.ToShortString()} cannot be verified: {why}.");
        if (KnownBlocks.TryGet(in cid, out ReadOnlyMemory<byte> known))
            return new NodeBlock(cid, null, known, NodeOrigin.Known);
        if (keeper is not null && await keeper.FindAsync(cid, cancellationToken).ConfigureAwait(false) is { } kept)
            return new NodeBlock(cid, kept, kept.Memory, NodeOrigin.Store);
        BlockBuffer buffer = await source.GetAsync(cid, cancellationToken).ConfigureAwait(false);
        return new NodeBlock(cid, buffer, buffer.Memory, NodeOrigin.Source);
    }

    /// <summary>Gets and decodes a node.</summary>
    public async Task<ContentNode> GetAsync(Cid cid, CancellationToken cancellationToken) =>
        Decode(await LoadAsync(cid, cancellationToken).ConfigureAwait(false));

    /// <summary>Decodes a loaded node, keeps it if it came from afar, and disposes its block.</summary>
    public ContentNode Decode(NodeBlock block)
    {
        using (block)
        {
            ContentNode node = ContentNode.Decode(block.Cid, block.Bytes.Span);
            if (block.Origin != NodeOrigin.Known)
                keeper?.Keep(node, block.Bytes.Span, isHere: block.Origin == NodeOrigin.Store);
            return node;
        }
    }
}

/// <summary>Remembers inner nodes, so that they need not be fetched twice.</summary>
internal interface INodeKeeper
{
    /// <summary>The block if it is here; the caller disposes it.</summary>
    ValueTask<BlockBuffer?> FindAsync(Cid cid, CancellationToken cancellationToken);

    /// <summary>Keeps a node that was decoded, or goes on keeping it when it is here. The bytes are borrowed until the call returns.</summary>
    void Keep(ContentNode node, ReadOnlySpan<byte> block, bool isHere);
}

/// <summary>Where a node's bytes came from.</summary>
internal enum NodeOrigin
{
    /// <summary>They follow from its id.</summary>
    Known,

    /// <summary>They were kept here.</summary>
    Store,

    /// <summary>From the source.</summary>
    Source,
}

/// <summary>A node's bytes, perhaps in a buffer of the pool.</summary>
internal readonly struct NodeBlock(Cid cid, BlockBuffer? buffer, ReadOnlyMemory<byte> bytes, NodeOrigin origin) : IDisposable
{
    /// <summary>Its id.</summary>
    public Cid Cid => cid;

    /// <summary>Its bytes, valid until it is disposed.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Where they came from.</summary>
    public NodeOrigin Origin => origin;

    /// <inheritdoc/>
    public void Dispose() => buffer?.Dispose();
}
