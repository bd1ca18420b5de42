using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>
/// How files and folders stand in blocks: as they are, or sealed for a private share. While content is read or made, the codec of an id says whether it is a
/// leaf or a node; of a sealed block only <see cref="BlockOf"/> gives the id by which others know it.
/// </summary>
internal abstract class BlockForm
{
    /// <summary>Blocks that hold what they are: everybody can read them.</summary>
    public static BlockForm Public { get; } = new PublicForm();

    /// <summary>Whether blocks are sealed.</summary>
    public virtual bool IsPrivate => false;

    /// <summary>The store's number of the key that seals; 0 when none does.</summary>
    public virtual long StoreKey => 0;

    /// <summary>The id by which the block is known to the network and the store.</summary>
    public virtual Cid BlockOf(in Cid cid) => cid;

    /// <summary>The id to walk from, of a root in a link.</summary>
    /// <exception cref="P2PException">Integrity: no such content has such a root.</exception>
    public virtual Cid NodeOf(in Cid root) => root;

    /// <summary>Where content begins: at its root, or in a private share at the one entry of its root.</summary>
    public virtual ValueTask<ContentStart> EnterAsync(NodeLoader loader, Cid root, CancellationToken cancellationToken) => new(new ContentStart(root, null, 0));

    /// <summary>A source of leaves as they lie in files, of blocks as the network has them.</summary>
    public virtual IBlockSource LeavesOf(IBlockSource blocks) => blocks;

    /// <summary>Opens a node's block, which then belongs to the result.</summary>
    public abstract NodeBlock Open(Cid cid, BlockBuffer block, NodeOrigin origin);

    /// <summary>The blocks that links of an inner node stand for, in their order.</summary>
    public IReadOnlyList<BlockChild> ChildrenOf(DagPbLink[] links)
    {
        var children = new BlockChild[links.Length];
        for (int i = 0; i < links.Length; i++)
            children[i] = new BlockChild(BlockOf(links[i].Cid), (long)Math.Min(links[i].TargetBytes ?? 0, long.MaxValue), links[i].Cid.Codec == Cid.RawCodec);
        return children;
    }

    /// <summary>Decodes a node out of its block, whatever kind of node it is.</summary>
    /// <exception cref="P2PException">Integrity: it is none, or contradicts itself.</exception>
    public virtual DagPbNode DecodeNode(in Cid cid, ReadOnlySpan<byte> block) =>
        DagPbCodec.TryDecode(block, out DagPbNode? node) ? node : throw ContentFault.Contradiction(in cid, "is not valid dag-pb");

    /// <summary>What a decoded node says, with links whose codecs tell leaves from nodes.</summary>
    /// <exception cref="P2PException">Integrity: it contradicts itself.</exception>
    public virtual DagPbNode Interpret(in Cid cid, DagPbNode node, UnixFsData data) => node;

    /// <summary>Whether the bytes of a file are the leaf of that id.</summary>
    public abstract bool Verify(in Cid leaf, ReadOnlySpan<byte> bytes);

    /// <summary>The bytes that a folder needs to describe an entry, besides its link.</summary>
    public virtual int HintBytesOf(in BuiltNode entry) => 0;

    /// <summary>What describes the entries of a folder, besides their links; null when nothing does.</summary>
    public virtual byte[]? HintsOf(ReadOnlySpan<FolderEntry> entries) => null;

    /// <summary>Makes a chunk of a file into a leaf. The caller disposes it.</summary>
    public abstract MadeLeaf MakeLeaf(UnixFsProfile profile, ReadOnlySpan<byte> chunk);

    /// <summary>Makes a node into a block and hands it on.</summary>
    /// <param name="profile">The layout.</param>
    /// <param name="node">The node, encoded.</param>
    /// <param name="fileBytes">Bytes of the file under it.</param>
    /// <param name="bytesBelow">Bytes of all blocks under it.</param>
    /// <param name="writer">Takes the block.</param>
    public abstract BuiltNode MakeNode(UnixFsProfile profile, ReadOnlySpan<byte> node, ulong fileBytes, ulong bytesBelow, NodeWriter writer);

    private sealed class PublicForm : BlockForm
    {
        public override NodeBlock Open(Cid cid, BlockBuffer block, NodeOrigin origin) => new(cid, block, block.Memory, origin);

        public override bool Verify(in Cid leaf, ReadOnlySpan<byte> bytes) => BlockVerification.Verify(leaf, bytes);

        public override MadeLeaf MakeLeaf(UnixFsProfile profile, ReadOnlySpan<byte> chunk) => new(LeafEncoder.Encode(profile, chunk, out byte[]? wrapped), null, wrapped);

        public override BuiltNode MakeNode(UnixFsProfile profile, ReadOnlySpan<byte> node, ulong fileBytes, ulong bytesBelow, NodeWriter writer)
        {
            Cid cid = NodeId.OfNode(profile, node);
            writer(in cid, node);
            return new BuiltNode(cid, fileBytes, bytesBelow + (ulong)node.Length);
        }
    }
}

/// <summary>Where content begins.</summary>
/// <param name="Cid">Its id, to be walked from.</param>
/// <param name="Name">The name that lies inside; null when none does.</param>
/// <param name="ClaimedBytes">What is claimed of its size; 0 when nothing is.</param>
internal readonly record struct ContentStart(Cid Cid, byte[]? Name, long ClaimedBytes);

/// <summary>An entry of a folder that is being made.</summary>
/// <param name="Link">The link to it; its id says whether it is a leaf.</param>
/// <param name="FileBytes">A file's bytes.</param>
internal readonly record struct FolderEntry(DagPbLink Link, ulong FileBytes);

/// <summary>A leaf that was made of a chunk.</summary>
internal readonly struct MadeLeaf(BuiltNode node, BlockBuffer? block, byte[]? wrapped) : IDisposable
{
    /// <summary>What it is.</summary>
    public BuiltNode Node => node;

    /// <summary>Its block, of the chunk that it was made of.</summary>
    public ReadOnlySpan<byte> BlockOf(ReadOnlySpan<byte> chunk) => block is not null ? block.Span : wrapped ?? chunk;

    /// <inheritdoc/>
    public void Dispose() => block?.Dispose();
}
