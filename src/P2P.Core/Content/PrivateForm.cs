using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>
/// The form of a private share: every block is sealed and known to others as plain bytes. Which of them are leaves is said by the nodes, inside: in a file by
/// the lengths that it states, in a folder by its hints. The root is a folder of one entry, whose name is the name of the share.
/// </summary>
/// <param name="sealer">Seals and opens; the caller disposes it when nothing uses the form any more.</param>
/// <param name="buffers">Buffers for blocks.</param>
/// <param name="storeKey">The store's number of the key; 0 when the store does not know it.</param>
internal sealed class PrivateForm(BlockSealer sealer, BlockBufferPool buffers, long storeKey = 0) : BlockForm
{
    /// <inheritdoc/>
    public override bool IsPrivate => true;

    /// <inheritdoc/>
    public override long StoreKey => storeKey;

    /// <inheritdoc/>
    public override Cid NodeOf(in Cid root) => IsBlockId(in root)
        ? root.WithCodec(Cid.DagPbCodec)
        : throw new P2PException(P2PErrorCode.Integrity, $"The content id {root} is not that of a private share, though the link has a key. Was the link changed?");

    /// <inheritdoc/>
    public override Cid BlockOf(in Cid cid) => cid.WithCodec(Cid.RawCodec);

    /// <inheritdoc/>
    public override async ValueTask<ContentStart> EnterAsync(NodeLoader loader, Cid root, CancellationToken cancellationToken)
    {
        ContentNode node = await loader.GetAsync(NodeOf(root), cancellationToken).ConfigureAwait(false);
        if (node.Data.Type != UnixFsType.Directory || node.Links is not [{ Name: { } name } entry] || PathRules.IsForbidden(name))
            throw ContentFault.Contradiction(in root, "is not the root of a private share, which names one entry");
        return new ContentStart(entry.Cid, name, (long)Math.Min(entry.TargetBytes ?? 0, long.MaxValue));
    }

    /// <inheritdoc/>
    public override IBlockSource LeavesOf(IBlockSource blocks) => new PrivateLeaves(blocks, this, buffers);

    /// <inheritdoc/>
    public override NodeBlock Open(Cid cid, BlockBuffer block, NodeOrigin origin)
    {
        BlockBuffer opened = buffers.Rent(block.Length);
        try
        {
            Range data = Open(in cid, block.Span, opened.Memory.Span);
            return new NodeBlock(cid, block, opened.Memory[data], origin, opened);
        }
        catch
        {
            opened.Dispose();
            block.Dispose();
            throw;
        }
    }

    /// <summary>Opens a block into memory of its length; says where in it the bytes are.</summary>
    /// <exception cref="P2PException">Integrity: the key does not open it, or it is not what the id to walk with promises.</exception>
    public Range Open(in Cid cid, ReadOnlySpan<byte> block, Span<byte> memory)
    {
        if (sealer.TryOpen(block, memory, out ulong codec, out Range data) is { } fault)
        {
            throw new P2PException(
                P2PErrorCode.Integrity, $"The key in the link does not fit this content: block {BlockOf(in cid).ToShortString()}, {fault}. Was the link changed, or its key taken from another one?");
        }

        if (codec != cid.Codec)
            throw ContentFault.Contradiction(BlockOf(in cid), codec == Cid.RawCodec ? "holds bytes of a file where its parent promises a node" : "is a node where its parent promises bytes of a file");
        return data;
    }

    /// <inheritdoc/>
    public override DagPbNode DecodeNode(in Cid cid, ReadOnlySpan<byte> block)
    {
        using BlockBuffer opened = buffers.Rent(block.Length);
        Range data = Open(in cid, block, opened.Memory.Span);
        DagPbNode node = base.DecodeNode(in cid, opened.Span[data]);
        return node.Data is not null && UnixFsData.TryDecode(node.Data, out UnixFsData? says)
            ? Interpret(in cid, node, says)
            : throw ContentFault.Contradiction(BlockOf(in cid), "is not a UnixFS file or folder");
    }

    /// <inheritdoc/>
    public override DagPbNode Interpret(in Cid cid, DagPbNode node, UnixFsData data)
    {
        foreach (DagPbLink link in node.Links)
        {
            if (!IsBlockId(link.Cid))
                throw ContentFault.Contradiction(BlockOf(in cid), "links to something that no private share consists of");
        }

        return data.Type switch
        {
            UnixFsType.File or UnixFsType.Raw when node.Links.Length == data.BlockBytes.Length => node with { Links = PartsOf(node.Links, data.BlockBytes) },
            UnixFsType.Directory or UnixFsType.HamtShard => node with { Links = EntriesOf(in cid, node.Links, data.LeafHints) },
            _ => node, // refused by whoever looks next, or without links
        };
    }

    /// <inheritdoc/>
    public override bool Verify(in Cid leaf, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BlockSealer.MaxLeafBytes)
            return false;
        using BlockBuffer block = buffers.Rent(BlockSealer.SealedBytes(Cid.RawCodec, bytes.Length));
        sealer.Seal(Cid.RawCodec, bytes, block.Memory.Span);
        return BlockVerification.Verify(leaf, block.Span);
    }

    /// <inheritdoc/>
    public override int HintBytesOf(in BuiltNode entry) => UVarint.SizeOf(HintOf(entry.Cid, entry.FileBytes));

    /// <inheritdoc/>
    public override byte[] HintsOf(ReadOnlySpan<FolderEntry> entries)
    {
        int size = 0;
        foreach (ref readonly FolderEntry entry in entries)
            size += UVarint.SizeOf(HintOf(entry.Link.Cid, entry.FileBytes));
        byte[] hints = new byte[size];
        int position = 0;
        foreach (ref readonly FolderEntry entry in entries)
            position += UVarint.Write(hints.AsSpan(position), HintOf(entry.Link.Cid, entry.FileBytes));
        return hints;
    }

    /// <inheritdoc/>
    public override MadeLeaf MakeLeaf(UnixFsProfile profile, ReadOnlySpan<byte> chunk)
    {
        BlockBuffer block = Seal(Cid.RawCodec, chunk);
        return new MadeLeaf(new BuiltNode(Cid.OfRaw(block.Span), (ulong)chunk.Length, (ulong)block.Length), block, null);
    }

    /// <inheritdoc/>
    public override BuiltNode MakeNode(UnixFsProfile profile, ReadOnlySpan<byte> node, ulong fileBytes, ulong bytesBelow, NodeWriter writer)
    {
        using BlockBuffer block = Seal(Cid.DagPbCodec, node);
        Cid cid = Cid.OfRaw(block.Span).WithCodec(Cid.DagPbCodec);
        writer(in cid, block.Span);

        // A claim only, and never the one that a leaf of the same bytes makes: that is how a reader tells them apart.
        ulong treeBytes = bytesBelow + (ulong)block.Length;
        return new BuiltNode(cid, fileBytes, IsLeaf(treeBytes, fileBytes) ? treeBytes + 1 : treeBytes);
    }

    // ids of the length that every sealed block has: no data in the id itself, no block without bytes
    private static bool IsBlockId(in Cid cid) =>
        cid.Version == 1 && cid.Codec == Cid.RawCodec && cid.MultihashCode == Multihash.Sha2_256 && cid.Digest.Length == SHA256.HashSizeInBytes
        && !cid.MultihashSpan.SequenceEqual(KnownBlocks.EmptyRaw.MultihashSpan);

    private static ulong HintOf(in Cid cid, ulong fileBytes) => cid.Codec == Cid.RawCodec ? fileBytes + 1 : 0;

    // a node of a file never claims the length that a leaf of the same bytes would have
    private static DagPbLink[] PartsOf(DagPbLink[] links, ulong[] bytes)
    {
        var parts = new DagPbLink[links.Length];
        for (int i = 0; i < parts.Length; i++)
            parts[i] = IsLeaf(links[i].TargetBytes, bytes[i]) ? links[i] : links[i] with { Cid = links[i].Cid.WithCodec(Cid.DagPbCodec) };
        return parts;
    }

    private static bool IsLeaf(ulong? treeBytes, ulong bytes) =>
        bytes <= BlockSealer.MaxLeafBytes && treeBytes == (ulong)BlockSealer.SealedBytes(Cid.RawCodec, (int)bytes);

    private DagPbLink[] EntriesOf(in Cid cid, DagPbLink[] links, ReadOnlySpan<byte> hints)
    {
        var entries = new DagPbLink[links.Length];
        for (int i = 0; i < entries.Length; i++)
        {
            if (UVarint.TryRead(hints, out ulong hint, out int read) != System.Buffers.OperationStatus.Done
                || (hint > 0 && !IsLeaf(links[i].TargetBytes, hint - 1)))
                throw ContentFault.Contradiction(BlockOf(in cid), "does not say what it links to");
            hints = hints[read..];

            // the claim of a leaf's size is exact from here on
            entries[i] = hint > 0 ? links[i] with { TargetBytes = hint - 1 } : links[i] with { Cid = links[i].Cid.WithCodec(Cid.DagPbCodec) };
        }

        return hints.IsEmpty ? entries : throw ContentFault.Contradiction(BlockOf(in cid), "says more than it links to");
    }

    private BlockBuffer Seal(ulong codec, ReadOnlySpan<byte> data)
    {
        BlockBuffer block = buffers.Rent(BlockSealer.SealedBytes(codec, data.Length));
        sealer.Seal(codec, data, block.Memory.Span);
        return block;
    }
}
