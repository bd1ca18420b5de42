using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>Finds files that were imported before and have not changed since, so that sharing a big file again takes no hashing.</summary>
internal static class ImportCache
{
    /// <summary>
    /// The file's blocks as the store has them; null when it does not know the file, knows it cut by other rules, lacks a block of it, or looked at it so soon
    /// after its last change that another may have gone unnoticed.
    /// </summary>
    public static async ValueTask<ImportStep.KnownFile?> FindAsync(BlockStore store, ImportFile file, ImportOptions options, CancellationToken cancellationToken)
    {
        if (!store.TryGetImportedFile(file.Path, file.Identity, options.Form.StoreKey, options.LayoutOf(file.Identity.Size), out FileRegistration known)
            || !known.IsImported || !known.IsSettled)
            return null;

        if (options.CutsByContent && file.Identity.Size <= FastCdc.MinBytes && known.Root.Codec != Cid.RawCodec)
            return null; // fetched, and cut into leaves that we would not make

        var blocks = new List<Cid>();
        BalancedBuilder? again = known.Root.Codec == Cid.RawCodec || options.Form.IsPrivate
            ? null
            : new BalancedBuilder(options.Profile, static (in Cid _, ReadOnlySpan<byte> _) => { });
        ulong treeBytes = 0;
        long offset = 0;
        var pending = new Stack<Cid>();
        pending.Push(known.Root);
        while (pending.TryPop(out Cid cid))
        {
            if (store.SizeOf(in cid) is not { } size)
                return null;
            blocks.Add(cid);
            treeBytes += (ulong)size;
            if (cid.Codec == Cid.RawCodec)
            {
                offset += size;
                again?.Add(new BuiltNode(cid, (ulong)size, (ulong)size));
                if (again is not null && !options.CutsByContent && size != options.Profile.ChunkBytes && offset < file.Identity.Size)
                    return null; // a fetched file may have been cut otherwise
                continue;
            }

            BlockBuffer? block = await store.ReadAsync(cid, cancellationToken).ConfigureAwait(false);
            if (block is null || Decode(options.Form, in cid, block).File is not { } node)
                return null;
            for (int i = node.Children.Length - 1; i >= 0; i--)
                pending.Push(node.Children[i]);
        }

        // the same leaves under another tree are another root: that of a fetched file is its sharer's
        if (again is not null && again.Finish().Cid != known.Root)
            return null;
        return new ImportStep.KnownFile(file, new BuiltNode(known.Root, (ulong)file.Identity.Size, treeBytes), blocks);
    }

    private static ContentNode Decode(BlockForm form, in Cid cid, BlockBuffer block)
    {
        using NodeBlock opened = form.Open(cid, block, NodeOrigin.Store);
        return ContentNode.Decode(in cid, opened.Bytes.Span, form);
    }
}
