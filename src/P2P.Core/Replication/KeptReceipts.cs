using System.Globalization;
using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>Receipts on the disk, so that a publisher that starts again knows who has what without asking everybody to read everything.</summary>
internal sealed class KeptReceipts(BlockStore store)
{
    /// <summary>The receipts of a share, each with where its holder was reached.</summary>
    public IReadOnlyList<(DhtKey Run, Contact Holder, Receipt Receipt)> Read(Cid root)
    {
        List<(DhtKey, Contact, Receipt)> read = [];
        foreach (ReceiptRow row in store.GetReceipts(root))
        {
            if (row.RunKey.Length == DhtKey.Bytes && Receipt.TryOpen(row.Envelope.Span, out Receipt? receipt))
                read.Add((DhtKey.FromBytes(row.RunKey.Span), new Contact(receipt.Holder, ReadAddresses(row.Addresses)), receipt));
        }

        return read;
    }

    /// <summary>Until when the last of the holders said that it keeps a share; null when none did. Quick: what is on the disk was checked when it came.</summary>
    public DateTimeOffset? UntilOf(Cid root) => store.GetReceipts(root).Max(static row => Receipt.UntilOf(row.Envelope.Span));

    /// <summary>Keeps a receipt in place of the one before.</summary>
    public Task KeepAsync(Cid root, DhtKey run, Contact holder, ReadOnlyMemory<byte> envelope, CancellationToken cancellationToken) => store.SetReceiptAsync(
        new ReceiptRow(root, BytesOf(run), holder.Peer.ToArray(), string.Join('\n', holder.Addresses), envelope), cancellationToken);

    /// <summary>Forgets the receipt of a holder that does not have the run.</summary>
    public Task ForgetAsync(Cid root, DhtKey run, PeerId holder, CancellationToken cancellationToken) => store.RemoveReceiptsAsync(root, BytesOf(run), holder.ToArray(), cancellationToken);

    /// <summary>Forgets all receipts of a share.</summary>
    public Task ForgetAsync(Cid root, CancellationToken cancellationToken) => store.RemoveReceiptsAsync(root, default, default, cancellationToken);

    private static byte[] BytesOf(DhtKey key)
    {
        byte[] bytes = new byte[DhtKey.Bytes];
        key.WriteBytes(bytes);
        return bytes;
    }

    private static List<Multiaddress> ReadAddresses(string lines)
    {
        List<Multiaddress> addresses = [];
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Multiaddress.TryParse(line, CultureInfo.InvariantCulture, out Multiaddress? address))
                addresses.Add(address);
        }

        return addresses;
    }
}
