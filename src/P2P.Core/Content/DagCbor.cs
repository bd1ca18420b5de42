using System.Buffers.Binary;

namespace P2P.Core.Content;

/// <summary>As much of DAG-CBOR as archives and the links between blocks need: heads, and where the links are. Nothing is built from the data.</summary>
internal static class DagCbor
{
    public const int UnsignedInteger = 0, ByteString = 2, TextString = 3, Array = 4, Map = 5, Tag = 6;

    /// <summary>The only tag that DAG-CBOR has: the byte string after it is a zero and a content id.</summary>
    public const ulong LinkTag = 42;

    private const int NegativeInteger = 1;
    private const int WidestSimple = 27; // minor values above are reserved or of indefinite length, which DAG-CBOR forbids

    /// <summary>Reads the head of one item: its kind and its number, length or count. What follows is left alone.</summary>
    /// <returns>Whether there is one of definite length.</returns>
    public static bool TryReadHead(ref ReadOnlySpan<byte> source, out int major, out ulong value)
    {
        major = 0;
        value = 0;
        if (source.IsEmpty)
            return false;
        major = source[0] >> 5;
        int minor = source[0] & 0x1F;
        if (minor > WidestSimple)
            return false;
        int wide = minor < 24 ? 0 : 1 << (minor - 24);
        if (source.Length < 1 + wide)
            return false;
        ReadOnlySpan<byte> number = source.Slice(1, wide);
        value = wide switch
        {
            0 => (ulong)minor,
            1 => number[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(number),
            4 => BinaryPrimitives.ReadUInt32BigEndian(number),
            _ => BinaryPrimitives.ReadUInt64BigEndian(number),
        };
        source = source[(1 + wide)..];
        return true;
    }

    /// <summary>The same, and only in the shortest form, as DAG-CBOR demands.</summary>
    public static bool TryReadStrictHead(ref ReadOnlySpan<byte> source, int expectedMajor, out ulong value)
    {
        int before = source.Length;
        return TryReadHead(ref source, out int major, out value) && major == expectedMajor && before - source.Length == HeadBytes(value);
    }

    /// <summary>Reads the byte string of a link, after its tag.</summary>
    public static bool TryReadLinkBytes(ref ReadOnlySpan<byte> source, out Cid cid)
    {
        cid = default;
        if (!TryReadHead(ref source, out int major, out ulong length) || major != ByteString || length < 2 || length > (ulong)source.Length || source[0] != 0)
            return false;
        ReadOnlySpan<byte> id = source[1..(int)length];
        source = source[(int)length..];
        return Cid.TryFromBytes(id, out cid, out int consumed) && consumed == id.Length;
    }

    /// <summary>Adds the links of a block in their order.</summary>
    /// <returns>False: it is not valid; some may have been added.</returns>
    public static bool TryAddLinks(ReadOnlySpan<byte> block, List<Cid> links)
    {
        // no recursion: it is enough to know how many items are still to come
        for (ulong open = 1; open > 0; open--)
        {
            if (!TryReadHead(ref block, out int major, out ulong value))
                return false;
            switch (major)
            {
                case ByteString or TextString:
                    if (value > (ulong)block.Length)
                        return false;
                    block = block[(int)value..];
                    break;
                case Array or Map:
                    ulong items = major == Map ? 2UL : 1UL;
                    if (value > (ulong)block.Length / items)
                        return false; // each takes a byte at least
                    open += value * items;
                    break;
                case Tag:
                    if (value != LinkTag || !TryReadLinkBytes(ref block, out Cid link))
                        return false;
                    links.Add(link);
                    break;
                case UnsignedInteger or NegativeInteger:
                default:
                    break; // numbers and simple values are their heads
            }
        }

        return block.IsEmpty;
    }

    /// <summary>Writes a head in its shortest form and returns its length (bytes).</summary>
    public static int WriteHead(Span<byte> destination, int major, ulong value)
    {
        int length = HeadBytes(value);
        int minor = length switch { 1 => (int)value, 2 => 24, 3 => 25, 5 => 26, _ => WidestSimple };
        destination[0] = (byte)((major << 5) | minor);
        for (int i = length - 1; i > 0; i--, value >>= 8)
            destination[i] = (byte)value;
        return length;
    }

    private static int HeadBytes(ulong value) => value switch
    {
        < 24 => 1,
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        <= uint.MaxValue => 5,
        _ => 9,
    };
}
