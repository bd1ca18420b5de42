namespace P2P.Core.Store;

/// <summary>The rows of what others said they keep for this node. See <see cref="ReceiptRow"/>.</summary>
internal static class ReceiptTable
{
    /// <summary>The receipts of a share.</summary>
    public static IReadOnlyList<ReceiptRow> GetReceipts(this BlockStore store, Cid root) => store.Query(
        "SELECT run_key, holder, addresses, envelope FROM receipts WHERE root=?1",
        row => new ReceiptRow(root, row.GetBlob(0).ToArray(), row.GetBlob(1).ToArray(), row.GetText(2), row.GetBlob(3).ToArray()),
        statement => statement.Bind(1, root.AsSpan()));

    /// <summary>Writes a receipt in place of the one before.</summary>
    public static Task SetReceiptAsync(this BlockStore store, ReceiptRow receipt, CancellationToken cancellationToken) =>
        store.Writer.ApplyAsync(editor => editor.SetReceipt(receipt), 1, Durability.Visible, cancellationToken);

    /// <summary>Removes receipts of a share: all; with a run those of the run; with a holder as well, one.</summary>
    public static Task RemoveReceiptsAsync(this BlockStore store, Cid root, ReadOnlyMemory<byte> runKey, ReadOnlyMemory<byte> holder, CancellationToken cancellationToken) =>
        store.Writer.ApplyAsync(editor => editor.RemoveReceipts(root, runKey.Span, holder.Span), 1, Durability.Visible, cancellationToken);
}
