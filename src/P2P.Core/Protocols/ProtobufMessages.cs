using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using P2P.Core.Primitives;

namespace P2P.Core.Protocols;

/// <summary>
/// Reads messages of generated code out of bytes that nobody vouches for. Google.Protobuf 3.25.1 adds up the lengths of messages inside messages without
/// looking whether they fit: fourteen bytes made it allocate half a gigabyte. So every length is held against the bytes that are there before it sees them.
/// </summary>
internal static class ProtobufMessages
{
    /// <summary>Messages inside each other (count); ours are three deep.</summary>
    private const int MaxDepth = 8;

    /// <summary>Reads one message; false when it is malformed.</summary>
    public static bool TryParse<T>(MessageParser<T> parser, MessageDescriptor descriptor, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out T? message)
        where T : class, IMessage<T>
    {
        message = null;
        if (!IsSound(descriptor, bytes, MaxDepth))
            return false;
        try
        {
            message = parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false; // text that is no text, say
        }
    }

    /// <summary>Whether every field ends within its message.</summary>
    private static bool IsSound(MessageDescriptor descriptor, ReadOnlySpan<byte> bytes, int depth)
    {
        var reader = new ProtobufReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType type))
                return false;
            if (type != WireType.Bytes)
            {
                if (!reader.TrySkip(type))
                    return false;
                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> value))
                return false;
            if (descriptor.FindFieldByNumber(field) is { FieldType: FieldType.Message } inner && (depth == 0 || !IsSound(inner.MessageType, value, depth - 1)))
                return false;
        }

        return true;
    }
}
