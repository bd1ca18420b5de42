using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>Finds files that were imported before and have not changed since, so that sharing a big file again takes no hashing.</summary>
internal static class ImportCache
{
    /// <summary>The file's blocks as the store has them; null when it does not know the file or lacks a block of it.</summary>
    public static async ValueTask<ImportStep.KnownFile?> FindAsync(BlockStore store, ImportFile file, BlockForm form, CancellationToken cancellationToken)
    {
        if (!store.TryGetImportedFile(file.Path, file.Identity, form.StoreKey, out FileRegistration known) || !known.IsImported)
            return null;

        var blocks = new List<Cid>();
        ulong treeBytes = 0;
        var pending = new Stack<Cid>();
        pending.Push(known.Root);
        while (pending.TryPop(out Cid cid))
        {
            if (store.SizeOf(in cid) is not { } size)
                return null;
            blocks.Add(cid);
            treeBytes += (ulong)size;
            if (cid.Codec == Cid.RawCodec)
                continue;
            BlockBuffer? block = await store.ReadAsync(cid, cancellationToken).ConfigureAwait(false);
            if (block is null || Decode(form, in cid, block).File is not { } node)
                return null;
            for (int i = node.Children.Length - 1; i >= 0; i--)
                pending.Push(node.Children[i]);
        }

        return new ImportStep.KnownFile(file, new BuiltNode(known.Root, (ulong)file.Identity.Size, treeBytes), blocks);
    }

    private static ContentNode Decode(BlockForm form, in Cid cid, BlockBuffer block)
    {
        using NodeBlock opened = form.Open(cid, block, NodeOrigin.Store);
        return ContentNode.Decode(in cid, opened.Bytes.Span, form);
    }
}
