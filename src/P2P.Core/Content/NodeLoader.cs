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
            return new NodeBlock(cid, null, known) { IsKept = true };
        if (keeper is not null && await keeper.FindAsync(cid, cancellationToken).ConfigureAwait(false) is { } kept)
            return new NodeBlock(cid, kept, kept.Memory[..kept.Length]) { IsKept = true };
        BlockBuffer buffer = await source.GetAsync(cid, cancellationToken).ConfigureAwait(false);
        return new NodeBlock(cid, buffer, buffer.Memory[..buffer.Length]);
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
            if (!block.IsKept)
                keeper?.Keep(node, block.Bytes.Span);
            return node;
        }
    }
}

/// <summary>Remembers inner nodes, so that they need not be fetched twice.</summary>
internal interface INodeKeeper
{
    /// <summary>The block if it is here; the caller disposes it.</summary>
    ValueTask<BlockBuffer?> FindAsync(Cid cid, CancellationToken cancellationToken);

    /// <summary>Keeps a node that arrived. The bytes are borrowed until the call returns. Called by one walk at a time.</summary>
    void Keep(ContentNode node, ReadOnlySpan<byte> block);
}

/// <summary>A node's bytes, perhaps in a buffer of the pool.</summary>
internal readonly struct NodeBlock(Cid cid, BlockBuffer? buffer, ReadOnlyMemory<byte> bytes) : IDisposable
{
    /// <summary>Its id.</summary>
    public Cid Cid => cid;

    /// <summary>Its bytes, valid until it is disposed.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Whether it came from where nodes are kept.</summary>
    public bool IsKept { get; init; }

    /// <inheritdoc/>
    public void Dispose() => buffer?.Dispose();
}
