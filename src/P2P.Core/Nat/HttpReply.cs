using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace P2P.Core.Nat;

/// <summary>Reads one answer of HTTP/1.x out of what a router has sent so far (RFC 9112). Lines may end without a carriage return, as some routers' do.</summary>
internal static class HttpReply
{
    /// <summary>The longest status line with headers (bytes).</summary>
    public const int MaxHeadBytes = 16 * 1024;

    /// <summary>The most that an answer with a body of <paramref name="maxBytes"/> may take with its headers and the marks of its chunks (bytes).</summary>
    public static int MaxBytesOf(int maxBytes) => MaxHeadBytes + (2 * maxBytes);

    /// <summary>Reads it.</summary>
    /// <param name="input">All that has come.</param>
    /// <param name="isEnd">Whether nothing more will come.</param>
    /// <param name="maxBytes">The longest body (bytes).</param>
    /// <param name="needed">When it is not whole: how many bytes must have come before it is worth another look.</param>
    /// <returns>The answer; null: it is not whole yet.</returns>
    /// <exception cref="IOException">No HTTP, too long, or it ended too early.</exception>
    public static GatewayReply? Read(ReadOnlySpan<byte> input, bool isEnd, int maxBytes, out int needed)
    {
        int at = 0;
        while (true)
        {
            if (!TryReadHead(input, ref at, out Head head))
            {
                if (input.Length - at > MaxHeadBytes)
                    throw new IOException("the headers of the answer are too long");
                needed = input.Length + 1;
                return isEnd ? throw TooShort() : null;
            }

            if (head.Status is >= 100 and < 200)
                continue; // an answer that only says that another follows
            byte[]? body = head.IsChunked ? ReadChunks(input, at, maxBytes, out needed) : ReadPlain(input[at..], at, head, isEnd, maxBytes, out needed);
            if (body is not null)
                return new GatewayReply(head.Status, body);
            return isEnd ? throw TooShort() : null;
        }
    }

    private static bool TryReadHead(ReadOnlySpan<byte> input, ref int at, out Head head)
    {
        head = default;
        int next = at;
        if (!TryReadLine(input, ref next, out ReadOnlySpan<byte> line))
            return false;
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[8] != ' ' || !Utf8Parser.TryParse(line.Slice(9, 3), out int status, out int digits) || digits != 3 || status < 100)
            throw new IOException("the answer is no HTTP");
        long? length = status is 204 or 304 ? 0 : null;
        bool isChunked = false;
        while (true)
        {
            if (!TryReadLine(input, ref next, out line))
                return false;
            if (next - at > MaxHeadBytes)
                throw new IOException("the headers of the answer are too long");
            if (line.IsEmpty)
                break;
            int colon = line.IndexOf((byte)':');
            if (colon <= 0)
                throw new IOException("the answer has a header without a name");
            ReadOnlySpan<byte> name = line[..colon], value = line[(colon + 1)..].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(name, "Content-Length"u8))
            {
                if (!Utf8Parser.TryParse(value, out long stated, out int used) || used != value.Length || stated < 0 || (length is { } before && before != stated && status is not (204 or 304)))
                    throw new IOException("the answer states no length that makes sense");
                length ??= stated;
            }
            else if (Ascii.EqualsIgnoreCase(name, "Transfer-Encoding"u8))
            {
                if (!Ascii.EqualsIgnoreCase(value, "chunked"u8))
                    throw new IOException("the answer is encoded in a way that was not asked for");
                isChunked = true;
            }
        }

        at = next;
        head = new Head(status, isChunked && length != 0, length);
        return true;
    }

    private static byte[]? ReadPlain(ReadOnlySpan<byte> rest, int at, Head head, bool isEnd, int maxBytes, out int needed)
    {
        if ((head.Length ?? rest.Length) > maxBytes)
            throw TooLong();
        if (head.Length is { } length)
        {
            needed = at + (int)length;
            return rest.Length >= length ? rest[..(int)length].ToArray() : null;
        }

        needed = at + rest.Length + 1; // until the router closes
        return isEnd ? rest.ToArray() : null;
    }

    private static byte[]? ReadChunks(ReadOnlySpan<byte> input, int at, int maxBytes, out int needed)
    {
        var body = new MemoryStream();
        while (true)
        {
            needed = input.Length + 1;
            if (!TryReadLine(input, ref at, out ReadOnlySpan<byte> line))
                return null;
            int end = line.IndexOf((byte)';');
            ReadOnlySpan<byte> size = (end < 0 ? line : line[..end]).Trim(" \t"u8);
            if (size.IsEmpty || size.Length > 7 || !int.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int length))
                throw new IOException("the answer has a chunk without a length");
            if (body.Length + length > maxBytes)
                throw TooLong();
            if (length == 0)
                return body.ToArray(); // what follows are headers that nobody asked for
            if (input.Length - at < length + 1)
            {
                needed = at + length + 1;
                return null;
            }

            body.Write(input.Slice(at, length));
            at += length;
            if (!TryReadLine(input, ref at, out line))
                return null;
            if (!line.IsEmpty)
                throw new IOException("the answer has a chunk that is longer than it says");
        }
    }

    /// <summary>Takes a line without its end; none when it has not come whole.</summary>
    private static bool TryReadLine(ReadOnlySpan<byte> input, ref int at, out ReadOnlySpan<byte> line)
    {
        int end = input[at..].IndexOf((byte)'\n');
        line = end < 0 ? default : input.Slice(at, end);
        if (end < 0)
            return false;
        at += end + 1;
        if (line.EndsWith("\r"u8))
            line = line[..^1];
        return true;
    }

    private static IOException TooLong() => new("the answer is too long");

    private static IOException TooShort() => new("the answer ended too early");

    private readonly record struct Head(int Status, bool IsChunked, long? Length);
}
