using System.Buffers;
using P2P.Core.Primitives;

namespace P2P.Core.Exchange;

/// <summary>
/// Writes messages field by field into the stream's own memory. Lengths are worked out first, so that block data can follow the header
/// straight from the disk without a message ever being put together.
/// </summary>
internal static class BitswapWriter
{
    private const int WantlistField = 1, PayloadField = 3, PresenceField = 4;
    private const int EntryField = 1, FullField = 2;
    private const int CidField = 1, PriorityField = 2, CancelField = 3, KindField = 4, SendDontHaveField = 5;
    private const int PresenceKindField = 2;
    private const int PrefixField = 1, DataField = 2;

    /// <summary>More than any header of a block or a message takes (bytes).</summary>
    private const int HeaderBytes = 128;

    /// <summary>Writes a message that holds a wantlist and nothing else.</summary>
    public static void WriteWantlist(IBufferWriter<byte> output, ReadOnlySpan<WantEntry> entries, bool full)
    {
        int listLength = full ? ProtobufWriter.SizeOfVarintField(FullField, 1) : 0;
        foreach (ref readonly WantEntry entry in entries)
            listLength += ProtobufWriter.SizeOfBytesField(EntryField, SizeOfEntry(entry));
        WriteMessageLength(output, ProtobufWriter.SizeOfBytesField(WantlistField, listLength));

        var writer = new ProtobufWriter(output.GetSpan(HeaderBytes));
        writer.WriteBytesHeader(WantlistField, listLength);
        output.Advance(writer.Position);
        foreach (ref readonly WantEntry entry in entries)
            WriteEntry(output, entry);
        if (!full)
            return;
        writer = new ProtobufWriter(output.GetSpan(HeaderBytes));
        writer.WriteVarintField(FullField, 1);
        output.Advance(writer.Position);
    }

    /// <summary>The length that an entry adds to a message (bytes).</summary>
    public static int SizeOfWant(in WantEntry entry) => ProtobufWriter.SizeOfBytesField(EntryField, SizeOfEntry(entry));

    /// <summary>The length that a presence adds to a message (bytes).</summary>
    public static int SizeOfPresence(in Cid cid, bool have) => ProtobufWriter.SizeOfBytesField(PresenceField, SizeOfPresenceBody(cid, have));

    /// <summary>The length that a block adds to a message (bytes).</summary>
    public static int SizeOfBlock(in Cid cid, int length) => ProtobufWriter.SizeOfBytesField(PayloadField, SizeOfBlockBody(cid, length));

    /// <summary>Writes the length that precedes a message: the sum of its parts.</summary>
    public static void WriteMessageLength(IBufferWriter<byte> output, int length)
    {
        int written = UVarint.Write(output.GetSpan(UVarint.MaxBytes), (ulong)length);
        output.Advance(written);
    }

    public static void WritePresence(IBufferWriter<byte> output, in Cid cid, bool have)
    {
        int length = SizeOfPresenceBody(cid, have);
        var writer = new ProtobufWriter(output.GetSpan(HeaderBytes + length));
        writer.WriteBytesHeader(PresenceField, length);
        writer.WriteBytesField(CidField, cid.AsSpan());
        if (!have)
            writer.WriteVarintField(PresenceKindField, 1);
        output.Advance(writer.Position);
    }

    /// <summary>Writes everything of a block but its data: exactly <paramref name="length"/> bytes must follow.</summary>
    public static void WriteBlockHeader(IBufferWriter<byte> output, in Cid cid, int length)
    {
        Span<byte> prefix = stackalloc byte[BitswapProtocol.MaxPrefixBytes];
        prefix = prefix[..BlockPrefix.Write(prefix, cid)];
        var writer = new ProtobufWriter(output.GetSpan(HeaderBytes));
        writer.WriteBytesHeader(PayloadField, SizeOfBlockBody(cid, length));
        writer.WriteBytesField(PrefixField, prefix);
        writer.WriteBytesHeader(DataField, length);
        output.Advance(writer.Position);
    }

    private static int SizeOfPresenceBody(in Cid cid, bool have) =>
        ProtobufWriter.SizeOfBytesField(CidField, cid.ByteLength) + (have ? 0 : ProtobufWriter.SizeOfVarintField(PresenceKindField, 1));

    private static int SizeOfBlockBody(in Cid cid, int length)
    {
        Span<byte> prefix = stackalloc byte[BitswapProtocol.MaxPrefixBytes];
        return ProtobufWriter.SizeOfBytesField(PrefixField, BlockPrefix.Write(prefix, cid)) + ProtobufWriter.SizeOfBytesField(DataField, length);
    }

    // defaults are left out, as proto3 has it
    private static int SizeOfEntry(in WantEntry entry) =>
        ProtobufWriter.SizeOfBytesField(CidField, entry.Cid.ByteLength)
        + (entry.Priority == 0 ? 0 : ProtobufWriter.SizeOfVarintField(PriorityField, (ulong)entry.Priority))
        + (entry.Cancel ? ProtobufWriter.SizeOfVarintField(CancelField, 1) : 0)
        + (entry.Kind == WantKind.Block ? 0 : ProtobufWriter.SizeOfVarintField(KindField, (ulong)entry.Kind))
        + (entry.SendDontHave ? ProtobufWriter.SizeOfVarintField(SendDontHaveField, 1) : 0);

    private static void WriteEntry(IBufferWriter<byte> output, in WantEntry entry)
    {
        int length = SizeOfEntry(entry);
        var writer = new ProtobufWriter(output.GetSpan(HeaderBytes + length));
        writer.WriteBytesHeader(EntryField, length);
        writer.WriteBytesField(CidField, entry.Cid.AsSpan());
        if (entry.Priority != 0)
            writer.WriteVarintField(PriorityField, (ulong)entry.Priority);
        if (entry.Cancel)
            writer.WriteVarintField(CancelField, 1);
        if (entry.Kind != WantKind.Block)
            writer.WriteVarintField(KindField, (ulong)entry.Kind);
        if (entry.SendDontHave)
            writer.WriteVarintField(SendDontHaveField, 1);
        output.Advance(writer.Position);
    }
}
