using System.Globalization;
using System.Text;

namespace P2P.Core.Diagnostics;

/// <summary>
/// Shows text that a peer chose. What would move the cursor, recolour the terminal, forge a log line or reverse the reading direction
/// is shown as <c>\u{..}</c> instead of being obeyed.
/// </summary>
internal static class UntrustedText
{
    /// <summary>The most characters of a peer's text that are shown, unless the caller says otherwise.</summary>
    public const int MaxChars = 512;

    /// <summary>The text with everything that a terminal would obey made visible, cut to <paramref name="maxChars"/> characters of the original.</summary>
    public static string Clean(string? text, int maxChars = MaxChars)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        bool isCut = text.Length > maxChars;
        ReadOnlySpan<char> shown = isCut ? text.AsSpan(0, maxChars) : text;
        if (!isCut && IsClean(shown))
        {
            return text;
        }

        var cleaned = new StringBuilder(shown.Length + 16);
        while (!shown.IsEmpty)
        {
            bool isRune = Rune.DecodeFromUtf16(shown, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done;
            int value = isRune ? rune.Value : shown[0];
            if (isRune && !IsObeyed(rune))
            {
                cleaned.Append(shown[..consumed]);
            }
            else
            {
                cleaned.Append(CultureInfo.InvariantCulture, $"\\u{{{value:x}}}");
            }

            shown = shown[consumed..];
        }

        return isCut ? cleaned.Append("...").ToString() : cleaned.ToString();
    }

    private static bool IsClean(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out Rune rune, out int consumed) != System.Buffers.OperationStatus.Done || IsObeyed(rune))
            {
                return false;
            }

            text = text[consumed..];
        }

        return true;
    }

    // controls (C0 with ESC and line ends, DEL, C1), line and paragraph separators, and every bidirectional mark, embedding, override and isolate
    private static bool IsObeyed(Rune rune) => Rune.IsControl(rune) || rune.Value is
        0x2028 or 0x2029 or 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
