using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Reads and writes dag-pb, strictly: a block that has another encoding of the same meaning is refused, because its id would then not be ours.</summary>
/// <remarks>On the wire links come before data although their field number is higher; data first is read too (ipld dag-pb specification, "serial format").</remarks>
internal static class DagPbCodec
{
    private const int LinksField = 2;
    private const int DataField = 1;
    private const int HashField = 1;
    private const int NameField = 2;
    private const int TargetBytesField = 3;

    /// <summary>Decodes a whole block. False: it is not dag-pb.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> block, [NotNullWhen(true)] out DagPbNode? node)
    {
        node = null;
        if (!TryCountLinks(block, out int count))
            return false;

        var links = new DagPbLink[count];
        byte[]? data = null;
        int filled = 0;
        bool linksEnded = false;
        var reader = new ProtobufReader(block);
        while (!reader.IsAtEnd)
        {
            if (!TryReadField(ref reader, out int field, out ReadOnlySpan<byte> value))
                return false;

            if (field == LinksField)
            {
                if (linksEnded || !TryDecodeLink(value, out links[filled++]))
                    return false;
            }
            else
            {
                if (data is not null)
                    return false;
                data = value.ToArray();
                linksEnded = filled > 0; // links before and after the data: interleaved
            }
        }

        node = new DagPbNode(links, data);
        return true;
    }

    /// <summary>The exact length of the encoded node (bytes).</summary>
    public static long SizeOf(ReadOnlySpan<DagPbLink> links, byte[]? data)
    {
        long size = data is null ? 0 : ProtobufWriter.SizeOfBytesField(DataField, data.Length);
        foreach (ref readonly DagPbLink link in links)
            size += SizeOf(in link);
        return size;
    }

    /// <summary>The exact length that one link adds to a node (bytes).</summary>
    public static int SizeOf(in DagPbLink link) => ProtobufWriter.SizeOfBytesField(LinksField, SizeOfLinkBody(in link));

    /// <summary>Encodes a node. The links are written in the given order: whoever makes a folder sorts them by name first.</summary>
    public static byte[] Encode(ReadOnlySpan<DagPbLink> links, byte[]? data)
    {
        byte[] block = new byte[SizeOf(links, data)];
        var writer = new ProtobufWriter(block);
        foreach (ref readonly DagPbLink link in links)
        {
            writer.WriteBytesHeader(LinksField, SizeOfLinkBody(in link));
            writer.WriteBytesField(HashField, link.Cid.AsSpan());
            if (link.Name is not null)
                writer.WriteBytesField(NameField, link.Name);
            if (link.TargetBytes is { } targetBytes)
                writer.WriteVarintField(TargetBytesField, targetBytes);
        }

        if (data is not null)
            writer.WriteBytesField(DataField, data);
        Debug.Assert(writer.Position == block.Length, "the size was computed with the same rules");
        return block;
    }

    private static int SizeOfLinkBody(in DagPbLink link) =>
        ProtobufWriter.SizeOfBytesField(HashField, link.Cid.ByteLength)
        + (link.Name is null ? 0 : ProtobufWriter.SizeOfBytesField(NameField, link.Name.Length))
        + (link.TargetBytes is { } targetBytes ? ProtobufWriter.SizeOfVarintField(TargetBytesField, targetBytes) : 0);

    private static bool TryReadField(ref ProtobufReader reader, out int field, out ReadOnlySpan<byte> value)
    {
        value = default;
        return reader.TryReadTag(out field, out WireType type)
            && type == WireType.Bytes
            && field is LinksField or DataField
            && reader.TryReadBytes(out value);
    }

    // a first pass, so that the number of links never sizes an array before they are known to be there
    private static bool TryCountLinks(ReadOnlySpan<byte> block, out int count)
    {
        count = 0;
        var reader = new ProtobufReader(block);
        while (!reader.IsAtEnd)
        {
            if (!TryReadField(ref reader, out int field, out _))
                return false;
            if (field == LinksField)
                count++;
        }

        return true;
    }

    private static bool TryDecodeLink(ReadOnlySpan<byte> body, out DagPbLink link)
    {
        link = default;
        var reader = new ProtobufReader(body);
        Cid cid = default;
        byte[]? name = null;
        ulong? targetBytes = null;
        int last = 0;
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType type) || field <= last)
                return false; // twice, or out of order
            last = field;
            switch (field, type)
            {
                case (HashField, WireType.Bytes):
                    if (!reader.TryReadBytes(out ReadOnlySpan<byte> hash) || !Cid.TryFromBytes(hash, out cid, out int consumed) || consumed != hash.Length)
                        return false;
                    break;
                case (NameField, WireType.Bytes):
                    if (!reader.TryReadBytes(out ReadOnlySpan<byte> text))
                        return false;
                    name = text.ToArray();
                    break;
                case (TargetBytesField, WireType.Varint):
                    if (!reader.TryReadVarint(out ulong size))
                        return false;
                    targetBytes = size;
                    break;
                default:
                    return false;
            }
        }

        link = new DagPbLink(cid, name, targetBytes);
        return !cid.IsEmpty;
    }
}
