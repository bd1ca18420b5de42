namespace P2P.Cli.Configuration;

/// <summary>Moves over what a configuration file has between its values: spaces, line ends, comments.</summary>
internal static class ConfigBlanks
{
    /// <summary>Whether there is nothing but white space.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> json) => json.Trim("\uFEFF \t\r\n"u8).IsEmpty;

    /// <summary>The next place that is no white space.</summary>
    public static int SkipSpace(ReadOnlySpan<byte> json, int at)
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            at++;
        return at;
    }

    /// <summary>The next place that is neither white space nor in a comment.</summary>
    public static int SkipComments(ReadOnlySpan<byte> json, int at)
    {
        while (true)
        {
            at = SkipSpace(json, at);
            int end = EndOfComment(json, at);
            if (end == at)
                return at;
            at = end;
        }
    }

    /// <summary>Just behind the last comment that follows on the same line and ends on it; <paramref name="at"/> when there is none.</summary>
    public static int EndOfCommentsOnLine(ReadOnlySpan<byte> json, int at)
    {
        while (true)
        {
            int start = at;
            while (start < json.Length && json[start] is (byte)' ' or (byte)'\t')
                start++;
            int end = EndOfComment(json, start);
            if (end == start || json[start..end].Contains((byte)'\n'))
                return at;
            at = end;
        }
    }

    /// <summary>Where the white space ends that stands before a place.</summary>
    public static int TrimBefore(ReadOnlySpan<byte> json, int at)
    {
        while (at > 0 && json[at - 1] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            at--;
        return at;
    }

    /// <summary>Where the line of a place begins.</summary>
    public static int StartOfLine(ReadOnlySpan<byte> json, int at) => json[..at].LastIndexOf((byte)'\n') + 1;

    private static int EndOfComment(ReadOnlySpan<byte> json, int at)
    {
        ReadOnlySpan<byte> rest = json[at..];
        if (rest.StartsWith("//"u8))
        {
            int end = rest.IndexOfAny((byte)'\n', (byte)'\r');
            return end < 0 ? json.Length : at + end;
        }

        return rest.StartsWith("/*"u8) ? at + 4 + rest[2..].IndexOf("*/"u8) : at;
    }
}
