using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace P2P.Core.Protocols;

/// <summary>Reads messages of generated code out of bytes that nobody vouches for.</summary>
internal static class ProtobufMessages
{
    /// <summary>Reads one message; false when it is malformed.</summary>
    public static bool TryParse<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out T? message)
        where T : class, IMessage<T>
    {
        try
        {
            message = parser.ParseFrom(bytes);
            return true;
        }
        catch (Exception malformed) when (malformed is InvalidProtocolBufferException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            // the others are what Google.Protobuf 3.25.1 throws for a message inside a message whose length does not fit into 32 bits
            message = null;
            return false;
        }
    }
}
