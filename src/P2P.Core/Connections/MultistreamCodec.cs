using System.Buffers;
using System.Text;

namespace P2P.Core.Connections;

/// <summary>The bytes of multistream-select 1.0: each message is a varint length, text and a newline that the length counts.</summary>
internal static class MultistreamCodec
{
    /// <summary>What both sides say first.</summary>
    public const string Header = "/multistream/1.0.0";

    /// <summary>The answer to a protocol that is not spoken here.</summary>
    public const string NotAvailable = "na";

    /// <summary>The longest message, newline included (bytes): the limit that Go and JavaScript share, so its length takes at most two bytes.</summary>
    public const int MaxMessageBytes = 1024;

    /// <summary>The longest message with its length in front (bytes).</summary>
    public const int MaxEncodedBytes = MaxMessageBytes + 2;

    /// <summary>Reads one message from the front. <paramref name="token"/> comes without its newline.</summary>
    public static OperationStatus TryRead(ReadOnlySpan<byte> source, out string token, out int consumed)
    {
        token = "";
        consumed = 0;
        OperationStatus status = TryReadLength(source, out int length, out int prefix);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        if (source.Length < prefix + length)
        {
            return OperationStatus.NeedMoreData;
        }

        if (source[prefix + length - 1] != (byte)'\n')
        {
            return OperationStatus.InvalidData;
        }

        token = Encoding.UTF8.GetString(source.Slice(prefix, length - 1));
        consumed = prefix + length;
        return OperationStatus.Done;
    }

    /// <summary>Reads one message and, only when it is complete, moves the sequence past it.</summary>
    public static OperationStatus TryRead(ref ReadOnlySequence<byte> source, out string token)
    {
        OperationStatus status;
        int consumed;
        if (source.IsSingleSegment)
        {
            status = TryRead(source.FirstSpan, out token, out consumed);
        }
        else
        {
            Span<byte> joined = stackalloc byte[MaxEncodedBytes];
            int length = (int)Math.Min(source.Length, MaxEncodedBytes);
            source.Slice(0, length).CopyTo(joined);
            status = TryRead(joined[..length], out token, out consumed);
        }

        if (status == OperationStatus.Done)
        {
            source = source.Slice(consumed);
        }

        return status;
    }

    /// <summary>Writes one message.</summary>
    /// <exception cref="ArgumentException">The text with its newline is longer than <see cref="MaxMessageBytes"/>.</exception>
    public static void Write(IBufferWriter<byte> destination, string token)
    {
        int length = Encoding.UTF8.GetByteCount(token) + 1;
        if (length > MaxMessageBytes)
        {
            throw new ArgumentException("The protocol name is too long.", nameof(token));
        }

        Span<byte> span = destination.GetSpan(length + 2);
        int at = 0;
        if (length >= 0x80)
        {
            span[at++] = (byte)(length | 0x80);
            span[at++] = (byte)(length >> 7);
        }
        else
        {
            span[at++] = (byte)length;
        }

        at += Encoding.UTF8.GetBytes(token, span[at..]);
        span[at++] = (byte)'\n';
        destination.Advance(at);
    }

    /// <summary>Several messages, one after the other.</summary>
    public static byte[] Encode(params ReadOnlySpan<string> tokens)
    {
        ArrayBufferWriter<byte> writer = new(64);
        foreach (string token in tokens)
        {
            Write(writer, token);
        }

        return writer.WrittenSpan.ToArray();
    }

    private static OperationStatus TryReadLength(ReadOnlySpan<byte> source, out int length, out int prefix)
    {
        length = 0;
        prefix = 0;
        if (source.IsEmpty)
        {
            return OperationStatus.NeedMoreData;
        }

        if (source[0] < 0x80)
        {
            length = source[0];
            prefix = 1;
            return length == 0 ? OperationStatus.InvalidData : OperationStatus.Done;
        }

        if (source.Length < 2)
        {
            return OperationStatus.NeedMoreData;
        }

        // a third length byte, a padded length or one over the limit all mean that this is no multistream peer
        length = (source[0] & 0x7f) | (source[1] << 7);
        prefix = 2;
        return source[1] is 0 or >= 0x80 || length > MaxMessageBytes ? OperationStatus.InvalidData : OperationStatus.Done;
    }
}
