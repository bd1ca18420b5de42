using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>Gets the inner nodes of content: out of the id itself, from the store when they are kept there, or from the source.</summary>
/// <param name="source">Where they come from.</param>
/// <param name="keeper">Looks first and keeps what arrives; null: neither.</param>
/// <param name="form">How the content stands in blocks; null: as it is.</param>
internal sealed class NodeLoader(IBlockSource source, INodeKeeper? keeper, BlockForm? form = null)
{
    /// <summary>How the content stands in blocks.</summary>
    public BlockForm Form { get; } = form ?? BlockForm.Public;

    /// <summary>Where leaves come from, as they lie in files.</summary>
    public IBlockSource Source { get; } = (form ?? BlockForm.Public).LeavesOf(source);

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
            return Form.Open(cid, kept, NodeOrigin.Store);
        return Form.Open(cid, await source.GetAsync(Form.BlockOf(in cid), cancellationToken).ConfigureAwait(false), NodeOrigin.Source);
    }

    /// <summary>Where the content of a root begins.</summary>
    public ValueTask<ContentStart> EnterAsync(Cid root, CancellationToken cancellationToken) => Form.EnterAsync(this, root, cancellationToken);

    /// <summary>Gets and decodes a node.</summary>
    public async Task<ContentNode> GetAsync(Cid cid, CancellationToken cancellationToken) =>
        Decode(await LoadAsync(cid, cancellationToken).ConfigureAwait(false));

    /// <summary>Decodes a loaded node, keeps it if it came from afar, and disposes its block.</summary>
    public ContentNode Decode(NodeBlock block)
    {
        using (block)
        {
            ContentNode node = ContentNode.Decode(block.Cid, block.Bytes.Span, Form);
            if (block.Origin != NodeOrigin.Known)
                keeper?.Keep(node, block.Block, isHere: block.Origin == NodeOrigin.Store);
            if (source.WantsChildren)
                source.OnChildren(Form.ChildrenOf(Form.DecodeNode(block.Cid, block.Block).Links));
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
internal readonly struct NodeBlock(Cid cid, BlockBuffer? buffer, ReadOnlyMemory<byte> bytes, NodeOrigin origin, BlockBuffer? opened = null) : IDisposable
{
    /// <summary>Its id.</summary>
    public Cid Cid => cid;

    /// <summary>Its bytes, valid until it is disposed.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>The block that they stood in: the bytes themselves, or what was opened.</summary>
    public ReadOnlySpan<byte> Block => buffer is null ? bytes.Span : buffer.Span;

    /// <summary>Where they came from.</summary>
    public NodeOrigin Origin => origin;

    /// <inheritdoc/>
    public void Dispose()
    {
        buffer?.Dispose();
        opened?.Dispose();
    }
}
