namespace P2P.Core.Primitives;

/// <summary>Percent-encoding of bytes: all but <c>A-Z a-z 0-9 - . _ ~</c>, the characters that no shell and no URI gives a meaning.</summary>
internal static class PercentEncoding
{
    private static readonly System.Buffers.SearchValues<char> Unreserved =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    /// <summary>Whether the character stands for itself.</summary>
    public static bool IsUnreserved(char character) => Unreserved.Contains(character);

    /// <summary>Encodes bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder(bytes.Length + 16);
        foreach (byte current in bytes)
        {
            if (IsUnreserved((char)current))
            {
                text.Append((char)current);
            }
            else
            {
                text.Append('%').Append(Convert.ToHexString([current]));
            }
        }

        return text.ToString();
    }

    /// <summary>Decodes a text; characters that needed no encoding are taken as they are, in UTF-8. False for a cut escape and for text that is not Unicode.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        byte[] buffer = new byte[System.Text.Encoding.UTF8.GetMaxByteCount(text.Length)];
        int length = 0;
        while (!text.IsEmpty)
        {
            if (text[0] == '%')
            {
                if (text.Length < 3 || Convert.FromHexString(text.Slice(1, 2), buffer.AsSpan(length), out _, out int written) != System.Buffers.OperationStatus.Done)
                {
                    return false;
                }

                length += written;
                text = text[3..];
                continue;
            }

            int run = text.IndexOf('%');
            run = run < 0 ? text.Length : run;
            if (System.Text.Unicode.Utf8.FromUtf16(text[..run], buffer.AsSpan(length), out _, out int count, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            length += count;
            text = text[run..];
        }

        bytes = buffer[..length];
        return true;
    }
}
