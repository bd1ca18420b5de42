using System.Buffers;
using System.Buffers.Binary;

namespace P2P.Core.Muxer;

/// <summary>The 12 bytes before every frame, big endian: version (0), type, flags (2), stream id (4), length (4).</summary>
internal readonly record struct YamuxHeader(YamuxFrameType Type, YamuxFlags Flags, uint StreamId, uint Length)
{
    /// <summary>The size of a header (bytes).</summary>
    public const int Bytes = 12;

    private const byte Version = 0;

    /// <summary>Reads one; <see cref="OperationStatus.InvalidData"/> for another version or an unknown type. Unknown flags are left alone.</summary>
    public static OperationStatus TryRead(ReadOnlySpan<byte> source, out YamuxHeader header)
    {
        header = default;
        if (source.Length >= 1 && source[0] != Version)
            return OperationStatus.InvalidData;
        if (source.Length >= 2 && source[1] > (byte)YamuxFrameType.GoAway)
            return OperationStatus.InvalidData;
        if (source.Length < Bytes)
            return OperationStatus.NeedMoreData;
        header = new YamuxHeader(
            (YamuxFrameType)source[1],
            (YamuxFlags)BinaryPrimitives.ReadUInt16BigEndian(source[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[8..]));
        return OperationStatus.Done;
    }

    public void Write(Span<byte> destination)
    {
        destination[0] = Version;
        destination[1] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)Flags);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Length);
    }
}
