using System.Globalization;
using System.Text;

namespace P2P.Cli.Output;

/// <summary>Text that others chose, made safe for a terminal: control characters, ESC and bidirectional overrides are shown as <c>\u{..}</c>.</summary>
internal static class SafeText
{
    /// <summary>The text, or the same text with every dangerous character spelled out.</summary>
    public static string Clean(string text)
    {
        int first = 0;
        while (first < text.Length && !IsDangerous(text, first))
            first++;
        if (first == text.Length)
            return text;

        var clean = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
        {
            if (IsDangerous(text, i))
                clean.Append(CultureInfo.InvariantCulture, $"\\u{{{(int)text[i]:x}}}");
            else
                clean.Append(text[i]);
        }

        return clean.ToString();
    }

    /// <summary>The same for a text of several lines: line ends stay.</summary>
    public static string CleanLines(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(Clean));

    /// <summary>Columns that a terminal needs for the text: 2 for wide East Asian characters and emoji, 0 for combining marks.</summary>
    public static int Columns(string text)
    {
        int columns = 0;
        foreach (Rune rune in text.EnumerateRunes())
            columns += Columns(rune);
        return columns;
    }

    /// <summary>The text cut to this many columns, with an ellipsis in the middle, because names differ at both ends.</summary>
    public static string Fit(string text, int columns)
    {
        if (Columns(text) <= columns)
            return text;
        int right = Math.Max(0, (columns - 1) / 2), left = Math.Max(0, columns - 1 - right);
        return Take(text, left) + "…" + TakeLast(text, right);
    }

    /// <summary>The text cut at the right edge of this many columns.</summary>
    public static string Take(string text, int columns)
    {
        int used = 0, end = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            used += Columns(rune);
            if (used > columns)
                break;
            end += rune.Utf16SequenceLength;
        }

        return text[..end];
    }

    private static string TakeLast(string text, int columns)
    {
        int used = 0, start = text.Length;
        while (start > 0)
        {
            int length = start > 1 && char.IsLowSurrogate(text[start - 1]) && char.IsHighSurrogate(text[start - 2]) ? 2 : 1;
            used += Columns(text.Substring(start - length, length));
            if (used > columns)
                break;
            start -= length;
        }

        return text[start..];
    }

    private static int Columns(Rune rune)
    {
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format)
            return 0;
        return rune.Value switch
        {
            >= 0x1100 and <= 0x115f or >= 0x2e80 and <= 0xa4cf or >= 0xac00 and <= 0xd7a3 or >= 0xf900 and <= 0xfaff
                or >= 0xfe30 and <= 0xfe6f or >= 0xff00 and <= 0xff60 or >= 0xffe0 and <= 0xffe6 or >= 0x1f300 and <= 0x1faff
                or >= 0x20000 and <= 0x3fffd => 2,
            _ => 1,
        };
    }

    private static bool IsDangerous(string text, int index)
    {
        char c = text[index];
        if (char.IsSurrogate(c))
        {
            bool paired = char.IsHighSurrogate(c)
                ? index + 1 < text.Length && char.IsLowSurrogate(text[index + 1])
                : index > 0 && char.IsHighSurrogate(text[index - 1]);
            return !paired;
        }

        return char.IsControl(c) || c is '\u061c' or '\u200e' or '\u200f' or '\u2028' or '\u2029' or '\ufeff'
            or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
    }
}
