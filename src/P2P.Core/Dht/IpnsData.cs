namespace P2P.Core.Dht;

/// <summary>What the signed part of an IPNS record says: a map in DAG-CBOR. Reads only what such a map holds, with every length checked.</summary>
internal ref struct IpnsData
{
    private const int MaxEntries = 32;
    private const int AllEntries = 31;
    private const byte UnsignedType = 0, NegativeType = 1, BytesType = 2, TextType = 3, MapType = 5;

    /// <summary>The path that the name points to.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Until when it counts: RFC 3339.</summary>
    public ReadOnlySpan<byte> Validity { get; private set; }

    /// <summary>0: the validity is an end of life.</summary>
    public ulong ValidityType { get; private set; }

    /// <summary>Larger is newer.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>How long it may be cached (ns).</summary>
    public ulong Ttl { get; private set; }

    /// <summary>Reads the map; false when it is malformed or lacks an entry.</summary>
    public static bool TryRead(ReadOnlySpan<byte> cbor, out IpnsData data)
    {
        data = default;
        int position = 0, seen = 0;
        if (!TryReadHead(cbor, ref position, out byte type, out ulong entries) || type != MapType || entries > MaxEntries)
            return false;
        for (ulong i = 0; i < entries; i++)
        {
            if (!TryReadBytes(cbor, ref position, TextType, out ReadOnlySpan<byte> name) || !data.TryReadEntry(name, cbor, ref position, ref seen))
                return false;
        }

        return position == cbor.Length && seen == AllEntries;
    }

    private bool TryReadEntry(scoped ReadOnlySpan<byte> name, ReadOnlySpan<byte> cbor, scoped ref int position, scoped ref int seen)
    {
        int entry = name.SequenceEqual("Value"u8) ? 1
            : name.SequenceEqual("Validity"u8) ? 2
            : name.SequenceEqual("ValidityType"u8) ? 4
            : name.SequenceEqual("Sequence"u8) ? 8
            : name.SequenceEqual("TTL"u8) ? 16
            : 0;
        if (entry == 0)
            return TrySkip(cbor, ref position);
        if ((seen & entry) != 0)
            return false;
        seen |= entry;
        if (entry <= 2)
        {
            if (!TryReadBytes(cbor, ref position, BytesType, out ReadOnlySpan<byte> value))
                return false;
            if (entry == 1)
                Value = value;
            else
                Validity = value;
            return true;
        }

        if (!TryReadHead(cbor, ref position, out byte type, out ulong number) || type != UnsignedType)
            return false;
        if (entry == 4)
            ValidityType = number;
        else if (entry == 8)
            Sequence = number;
        else
            Ttl = number;
        return true;
    }

    private static bool TryReadBytes(ReadOnlySpan<byte> cbor, scoped ref int position, byte wanted, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!TryReadHead(cbor, ref position, out byte type, out ulong length) || type != wanted || length > (ulong)(cbor.Length - position))
            return false;
        value = cbor.Slice(position, (int)length);
        position += (int)length;
        return true;
    }

    /// <summary>Entries of others hold a number, bytes or a text; anything deeper is refused.</summary>
    private static bool TrySkip(ReadOnlySpan<byte> cbor, scoped ref int position)
    {
        if (!TryReadHead(cbor, ref position, out byte type, out ulong value))
            return false;
        if (type is UnsignedType or NegativeType)
            return true;
        if (type is not (BytesType or TextType) || value > (ulong)(cbor.Length - position))
            return false;
        position += (int)value;
        return true;
    }

    private static bool TryReadHead(ReadOnlySpan<byte> cbor, scoped ref int position, out byte type, out ulong value)
    {
        (type, value) = (0, 0);
        if (position >= cbor.Length)
            return false;
        byte first = cbor[position++];
        type = (byte)(first >> 5);
        int info = first & 31;
        if (info < 24)
        {
            value = (ulong)info;
            return true;
        }

        int length = info switch { 24 => 1, 25 => 2, 26 => 4, 27 => 8, _ => 0 };
        if (length == 0 || cbor.Length - position < length)
            return false;
        for (int i = 0; i < length; i++)
            value = (value << 8) | cbor[position++];
        return true;
    }
}
