using System.Diagnostics.CodeAnalysis;
using System.Text;
using P2P.Core.Primitives;

namespace P2P.Core.Dht;

/// <summary>
/// The bytes of <see cref="DhtMessage"/>: protobuf, fields in the order of their numbers, zero values left out, as go-libp2p writes them. Unknown fields and
/// what old versions sent are passed over; peers and addresses that cannot be read are left out; everything that is counted is bounded.
/// </summary>
internal static class DhtMessageCodec
{
    /// <summary>The longest message (bytes).</summary>
    public const int MaxMessageBytes = 4 << 20;

    /// <summary>The most that one peer's entry may take (bytes); addresses beyond are left out.</summary>
    public const int MaxPeerBytes = 8 << 10;

    /// <summary>Closer peers that are read of one message (count): twice the k.</summary>
    public const int MaxCloserPeers = 40;

    /// <summary>Providers that are read of one message (count).</summary>
    public const int MaxProviderPeers = 1024;

    /// <summary>Addresses that are read of one peer (count).</summary>
    public const int MaxAddresses = 32;

    private const int TypeField = 1, KeyField = 2, RecordField = 3, CloserField = 8, ProviderField = 9, ClusterLevelField = 10;
    private const int RecordKeyField = 1, RecordValueField = 2, TimeReceivedField = 5;
    private const int PeerIdField = 1, PeerAddressField = 2;
    private const int MaxTimeBytes = 64;

    /// <summary>Writes a message.</summary>
    public static byte[] Encode(DhtMessage message)
    {
        byte[][] closer = [.. message.CloserPeers.Select(EncodePeer)], providers = [.. message.ProviderPeers.Select(EncodePeer)];
        byte[]? record = message.Record is { } one ? EncodeRecord(one) : null;
        int size = (message.Type == 0 ? 0 : ProtobufWriter.SizeOfVarintField(TypeField, (ulong)message.Type))
            + (message.Key.IsEmpty ? 0 : ProtobufWriter.SizeOfBytesField(KeyField, message.Key.Length))
            + (record is null ? 0 : ProtobufWriter.SizeOfBytesField(RecordField, record.Length))
            + closer.Sum(static peer => ProtobufWriter.SizeOfBytesField(CloserField, peer.Length))
            + providers.Sum(static peer => ProtobufWriter.SizeOfBytesField(ProviderField, peer.Length))
            + ProtobufWriter.SizeOfVarintField(ClusterLevelField, 1);
        byte[] bytes = new byte[size];
        var writer = new ProtobufWriter(bytes);
        if (message.Type != 0)
            writer.WriteVarintField(TypeField, (ulong)message.Type);
        if (!message.Key.IsEmpty)
            writer.WriteBytesField(KeyField, message.Key.Span);
        if (record is not null)
            writer.WriteBytesField(RecordField, record);
        foreach (byte[] peer in closer)
            writer.WriteBytesField(CloserField, peer);
        foreach (byte[] peer in providers)
            writer.WriteBytesField(ProviderField, peer);
        writer.WriteVarintField(ClusterLevelField, 1); // what go sends; nobody uses it
        return bytes;
    }

    /// <summary>Reads a message. False: it is malformed.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DhtMessage? message)
    {
        message = null;
        var reader = new ProtobufReader(bytes);
        ulong type = 0;
        byte[] key = [];
        DhtRecord? record = null;
        List<Contact> closer = [], providers = [];
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType wire))
                return false;
            if (field == TypeField && wire == WireType.Varint)
            {
                if (!reader.TryReadVarint(out type) || type > (ulong)DhtMessageType.Ping)
                    return false;
                continue;
            }

            if (wire != WireType.Bytes || field is not (KeyField or RecordField or CloserField or ProviderField))
            {
                if (!reader.TrySkip(wire))
                    return false;
                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> value))
                return false;
            bool isSound = true;
            switch (field)
            {
                case KeyField:
                    key = value.ToArray();
                    break;
                case RecordField:
                    isSound = TryDecodeRecord(value, out record);
                    break;
                case CloserField:
                    isSound = TryAddPeer(value, closer, MaxCloserPeers);
                    break;
                default:
                    isSound = TryAddPeer(value, providers, MaxProviderPeers);
                    break;
            }

            if (!isSound)
                return false;
        }

        message = new DhtMessage { Type = (DhtMessageType)type, Key = key, Record = record, CloserPeers = closer, ProviderPeers = providers };
        return true;
    }

    private static byte[] EncodePeer(Contact contact)
    {
        ReadOnlySpan<byte> id = contact.Peer.AsSpan();
        int size = ProtobufWriter.SizeOfBytesField(PeerIdField, id.Length), count = 0;
        while (count < contact.Addresses.Count && count < MaxAddresses)
        {
            int more = ProtobufWriter.SizeOfBytesField(PeerAddressField, contact.Addresses[count].AsSpan().Length);
            if (size + more > MaxPeerBytes)
                break;
            size += more;
            count++;
        }

        byte[] bytes = new byte[size];
        var writer = new ProtobufWriter(bytes);
        writer.WriteBytesField(PeerIdField, id);
        for (int i = 0; i < count; i++)
            writer.WriteBytesField(PeerAddressField, contact.Addresses[i].AsSpan());
        return bytes;
    }

    private static byte[] EncodeRecord(DhtRecord record)
    {
        byte[] time = Encoding.ASCII.GetBytes(record.TimeReceived);
        int size = (record.Key.IsEmpty ? 0 : ProtobufWriter.SizeOfBytesField(RecordKeyField, record.Key.Length))
            + (record.Value.IsEmpty ? 0 : ProtobufWriter.SizeOfBytesField(RecordValueField, record.Value.Length))
            + (time.Length == 0 ? 0 : ProtobufWriter.SizeOfBytesField(TimeReceivedField, time.Length));
        byte[] bytes = new byte[size];
        var writer = new ProtobufWriter(bytes);
        if (!record.Key.IsEmpty)
            writer.WriteBytesField(RecordKeyField, record.Key.Span);
        if (!record.Value.IsEmpty)
            writer.WriteBytesField(RecordValueField, record.Value.Span);
        if (time.Length > 0)
            writer.WriteBytesField(TimeReceivedField, time);
        return bytes;
    }

    private static bool TryDecodeRecord(ReadOnlySpan<byte> bytes, out DhtRecord? record)
    {
        record = null;
        var reader = new ProtobufReader(bytes);
        byte[] key = [], value = [];
        string time = "";
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType wire))
                return false;
            if (wire != WireType.Bytes || field is not (RecordKeyField or RecordValueField or TimeReceivedField))
            {
                if (!reader.TrySkip(wire))
                    return false;
                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> content))
                return false;
            if (field == RecordKeyField)
                key = content.ToArray();
            else if (field == RecordValueField)
                value = content.ToArray();
            else if (content.Length <= MaxTimeBytes)
                time = Encoding.ASCII.GetString(content);
        }

        record = new DhtRecord(key, value, time);
        return true;
    }

    /// <summary>Adds a peer that can be read; those beyond the limit and those without a proper id are passed over.</summary>
    private static bool TryAddPeer(ReadOnlySpan<byte> bytes, List<Contact> peers, int max)
    {
        if (peers.Count == max || bytes.Length > MaxPeerBytes)
            return true;
        var reader = new ProtobufReader(bytes);
        PeerId peer = default;
        List<Multiaddress> addresses = [];
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType wire))
                return false;
            if (wire != WireType.Bytes || field is not (PeerIdField or PeerAddressField))
            {
                if (!reader.TrySkip(wire))
                    return false;
                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> content))
                return false;
            if (field == PeerIdField)
                _ = PeerId.TryFromBytes(content, out peer);
            else if (addresses.Count < MaxAddresses && Multiaddress.TryFromBytes(content, out Multiaddress? address))
                addresses.Add(address);
        }

        if (!peer.IsEmpty)
            peers.Add(new Contact(peer, [.. addresses.Where(address => address.PeerId is not { } named || named == peer).Select(static address => address.WithoutPeerId())]));
        return true;
    }
}
