using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>What a UnixFS node is.</summary>
internal enum UnixFsType
{
    /// <summary>Bytes of a file, as written long ago; read only.</summary>
    Raw = 0,

    /// <summary>A folder whose links are its entries.</summary>
    Directory = 1,

    /// <summary>A file, or a part of one.</summary>
    File = 2,

    /// <summary>Never seen in practice; refused where content is read.</summary>
    Metadata = 3,

    /// <summary>A symbolic link; the data is its target.</summary>
    Symlink = 4,

    /// <summary>A part of a folder that is spread over many nodes by the hash of its names.</summary>
    HamtShard = 5,
}

/// <summary>A moment as UnixFS writes it.</summary>
/// <param name="Seconds">Since 1970, negative before.</param>
/// <param name="Nanoseconds">The fraction, 1 to 999,999,999; null for none.</param>
internal readonly record struct UnixFsTime(long Seconds, uint? Nanoseconds);

/// <summary>The UnixFS part of a dag-pb node. Null means absent, which is not the same as zero.</summary>
internal sealed record UnixFsData(UnixFsType Type)
{
    /// <summary>The number of <see cref="LeafHints"/>, far from any that the specification may still give out.</summary>
    public const int LeafHintsField = 1000;

    private const int MaxModeBits = 32;

    /// <summary>Bytes of the file that lie in this node, a link's target, or a shard's bitmap.</summary>
    public byte[]? Data { get; init; }

    /// <summary>Bytes of the file at and below this node.</summary>
    public ulong? FileBytes { get; init; }

    /// <summary>Bytes of the file under each link, in the links' order.</summary>
    public ulong[] BlockBytes { get; init; } = [];

    /// <summary>Which hash spreads a shard's names.</summary>
    public ulong? HashType { get; init; }

    /// <summary>Buckets of a shard.</summary>
    public ulong? Fanout { get; init; }

    /// <summary>Permission bits.</summary>
    public uint? Mode { get; init; }

    /// <summary>When it was changed.</summary>
    public UnixFsTime? ModifiedAt { get; init; }

    /// <summary>Our own field, in the folders of private shares only: packed varints, for each link 0, or one more than the bytes of the leaf that it leads to.</summary>
    public byte[]? LeafHints { get; init; }

    /// <summary>Decodes it. Unknown fields are skipped, as protobuf asks; false: it is not UnixFS.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> message, [NotNullWhen(true)] out UnixFsData? data)
    {
        data = null;
        ulong? type = null, fileBytes = null, hashType = null, fanout = null, mode = null;
        byte[]? inline = null, leafHints = null;
        UnixFsTime? modifiedAt = null;
        List<ulong>? blockBytes = null; // at most one for each byte of the message
        var reader = new ProtobufReader(message);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType wire))
                return false;
            bool read = (field, wire) switch
            {
                (1, WireType.Varint) => TryRead(ref reader, out type),
                (2, WireType.Bytes) => TryReadBytes(ref reader, out inline),
                (3, WireType.Varint) => TryRead(ref reader, out fileBytes),
                (4, WireType.Varint) => TryAddOne(ref reader, ref blockBytes),
                (4, WireType.Bytes) => TryAddPacked(ref reader, ref blockBytes),
                (5, WireType.Varint) => TryRead(ref reader, out hashType),
                (6, WireType.Varint) => TryRead(ref reader, out fanout),
                (7, WireType.Varint) => TryRead(ref reader, out mode),
                (8, WireType.Bytes) => TryReadTime(ref reader, out modifiedAt),
                (LeafHintsField, WireType.Bytes) => TryReadBytes(ref reader, out leafHints),
                ( >= 1 and <= 8, _) => false,
                _ => reader.TrySkip(wire),
            };
            if (!read)
                return false;
        }

        if (type is null or > (ulong)UnixFsType.HamtShard || mode >> MaxModeBits > 0)
            return false;
        data = new UnixFsData((UnixFsType)type)
        {
            Data = inline,
            FileBytes = fileBytes,
            BlockBytes = blockBytes?.ToArray() ?? [],
            HashType = hashType,
            Fanout = fanout,
            Mode = (uint?)mode,
            ModifiedAt = modifiedAt,
            LeafHints = leafHints,
        };
        return true;
    }

    /// <summary>Encodes it, fields in the order of their numbers, block sizes one by one.</summary>
    public byte[] Encode()
    {
        byte[] time = ModifiedAt is { } moment ? EncodeTime(moment) : [];
        int size = ProtobufWriter.SizeOfVarintField(1, (ulong)Type)
            + (Data is null ? 0 : ProtobufWriter.SizeOfBytesField(2, Data.Length))
            + SizeOf(3, FileBytes) + SizeOf(5, HashType) + SizeOf(6, Fanout) + SizeOf(7, Mode)
            + (ModifiedAt is null ? 0 : ProtobufWriter.SizeOfBytesField(8, time.Length))
            + (LeafHints is null ? 0 : ProtobufWriter.SizeOfBytesField(LeafHintsField, LeafHints.Length));
        foreach (ulong bytes in BlockBytes)
            size += ProtobufWriter.SizeOfVarintField(4, bytes);

        byte[] message = new byte[size];
        var writer = new ProtobufWriter(message);
        writer.WriteVarintField(1, (ulong)Type);
        if (Data is not null)
            writer.WriteBytesField(2, Data);
        Write(ref writer, 3, FileBytes);
        foreach (ulong bytes in BlockBytes)
            writer.WriteVarintField(4, bytes);
        Write(ref writer, 5, HashType);
        Write(ref writer, 6, Fanout);
        Write(ref writer, 7, Mode);
        if (ModifiedAt is not null)
            writer.WriteBytesField(8, time);
        if (LeafHints is not null)
            writer.WriteBytesField(LeafHintsField, LeafHints);
        Debug.Assert(writer.Position == size, "the size was computed with the same rules");
        return message;
    }

    private static int SizeOf(int field, ulong? value) => value is { } number ? ProtobufWriter.SizeOfVarintField(field, number) : 0;

    private static void Write(ref ProtobufWriter writer, int field, ulong? value)
    {
        if (value is { } number)
            writer.WriteVarintField(field, number);
    }

    private static bool TryRead(ref ProtobufReader reader, out ulong? value)
    {
        bool read = reader.TryReadVarint(out ulong number);
        value = number;
        return read;
    }

    private static bool TryReadBytes(ref ProtobufReader reader, out byte[]? value)
    {
        bool read = reader.TryReadBytes(out ReadOnlySpan<byte> bytes);
        value = bytes.ToArray();
        return read;
    }

    private static bool TryAddOne(ref ProtobufReader reader, ref List<ulong>? values)
    {
        if (!reader.TryReadVarint(out ulong value))
            return false;
        (values ??= []).Add(value);
        return true;
    }

    private static bool TryAddPacked(ref ProtobufReader reader, ref List<ulong>? values)
    {
        if (!reader.TryReadBytes(out ReadOnlySpan<byte> packed))
            return false;
        var inner = new ProtobufReader(packed);
        while (!inner.IsAtEnd)
        {
            if (!TryAddOne(ref inner, ref values))
                return false;
        }

        return true;
    }

    private static bool TryReadTime(ref ProtobufReader reader, out UnixFsTime? time)
    {
        time = null;
        if (!reader.TryReadBytes(out ReadOnlySpan<byte> message))
            return false;
        long seconds = 0;
        uint? nanoseconds = null;
        var inner = new ProtobufReader(message);
        while (!inner.IsAtEnd)
        {
            if (!inner.TryReadTag(out int field, out WireType wire))
                return false;
            switch (field, wire)
            {
                case (1, WireType.Varint) when inner.TryReadVarint(out ulong bits):
                    seconds = (long)bits; // an int64 varint, not zigzag
                    break;
                case (2, WireType.Fixed32) when inner.TryReadFixed32(out uint fraction) && fraction is >= 1 and <= 999_999_999:
                    nanoseconds = fraction;
                    break;
                case ( > 2, _) when inner.TrySkip(wire):
                    break;
                default:
                    return false;
            }
        }

        time = new UnixFsTime(seconds, nanoseconds);
        return true;
    }

    private static byte[] EncodeTime(UnixFsTime time)
    {
        const int FractionBytes = 4;
        byte[] message = new byte[ProtobufWriter.SizeOfVarintField(1, (ulong)time.Seconds) + (time.Nanoseconds is null ? 0 : 1 + FractionBytes)];
        var writer = new ProtobufWriter(message);
        writer.WriteVarintField(1, (ulong)time.Seconds);
        if (time.Nanoseconds is { } nanoseconds)
        {
            writer.WriteTag(2, WireType.Fixed32);
            Span<byte> fraction = stackalloc byte[FractionBytes];
            BinaryPrimitives.WriteUInt32LittleEndian(fraction, nanoseconds);
            writer.WriteRaw(fraction);
        }

        return message;
    }
}
