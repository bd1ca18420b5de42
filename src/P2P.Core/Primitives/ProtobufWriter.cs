using System.Numerics;

namespace P2P.Core.Primitives;

/// <summary>
/// Writes protobuf fields into memory that the caller sized with the <c>SizeOf</c> methods, in the order in which it is called:
/// dag-pb and keys have one canonical form, so the order is the format's and not ours.
/// </summary>
internal ref struct ProtobufWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written so far.</summary>
    public int Position { get; private set; }

    /// <summary>The length of a varint (bytes).</summary>
    public static int SizeOfVarint(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>The length of a field's tag (bytes).</summary>
    public static int SizeOfTag(int field) => SizeOfVarint((ulong)field << 3);

    /// <summary>The length of a varint field with its tag (bytes).</summary>
    public static int SizeOfVarintField(int field, ulong value) => SizeOfTag(field) + SizeOfVarint(value);

    /// <summary>The length of a bytes field with its tag and length (bytes).</summary>
    public static int SizeOfBytesField(int field, int length) => SizeOfTag(field) + SizeOfVarint((ulong)length) + length;

    /// <summary>Writes a field's tag.</summary>
    public void WriteTag(int field, WireType type) => WriteVarint(((ulong)field << 3) | (uint)type);

    /// <summary>Writes a varint of up to ten bytes.</summary>
    public void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _destination[Position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _destination[Position++] = (byte)value;
    }

    /// <summary>Writes a varint field.</summary>
    public void WriteVarintField(int field, ulong value)
    {
        WriteTag(field, WireType.Varint);
        WriteVarint(value);
    }

    /// <summary>Writes a bytes, string or message field.</summary>
    public void WriteBytesField(int field, scoped ReadOnlySpan<byte> value)
    {
        WriteBytesHeader(field, value.Length);
        WriteRaw(value);
    }

    /// <summary>Writes the tag and length of a bytes, string or message field; exactly that many bytes must follow.</summary>
    public void WriteBytesHeader(int field, int length)
    {
        WriteTag(field, WireType.Bytes);
        WriteVarint((ulong)length);
    }

    /// <summary>Writes bytes as they are.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> value)
    {
        value.CopyTo(_destination[Position..]);
        Position += value.Length;
    }
}
