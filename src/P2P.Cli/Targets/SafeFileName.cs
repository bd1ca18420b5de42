using System.Text;
using P2P.Cli.Configuration;

namespace P2P.Cli.Targets;

/// <summary>Makes one file name of what a link claims: no separators, nothing that a file system or a shell gives a meaning of its own.</summary>
internal static class SafeFileName
{
    private const int BytesMax = 255; // ext4, APFS, NTFS (UTF-16 units there, never more of them than bytes)
    private static readonly string[] s_windowsDevices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

    /// <summary>The name, or what becomes of it; <paramref name="fallback"/> when nothing is left.</summary>
    public static string Of(string? claimed, string fallback, HostSystem system)
    {
        if (string.IsNullOrEmpty(claimed))
            return fallback;
        var name = new StringBuilder(claimed.Length);
        foreach (Rune rune in claimed.EnumerateRunes())
        {
            bool bad = rune.Value is '/' or < 0x20 or 0x7f || (rune == Rune.ReplacementChar && !claimed.Contains('\ufffd', StringComparison.Ordinal))
                || (system == HostSystem.Windows && rune.Value is '\\' or '<' or '>' or ':' or '"' or '|' or '?' or '*');
            name.Append(bad ? "_" : rune.ToString());
        }

        string result = name.ToString();
        if (system == HostSystem.Windows)
        {
            result = result.TrimEnd(' ', '.');
            string stem = result.Split('.')[0].TrimEnd();
            if (s_windowsDevices.Contains(stem, StringComparer.OrdinalIgnoreCase)
                || (stem.Length == 4 && char.IsAsciiDigit(stem[3]) && (stem.StartsWith("COM", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("LPT", StringComparison.OrdinalIgnoreCase))))
                result = "_" + result;
        }

        return result is "" or "." or ".." ? fallback : Shorten(result);
    }

    // Keeps the extension: it decides what opens the file.
    private static string Shorten(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= BytesMax)
            return name;
        int dot = name.LastIndexOf('.');
        string extension = dot > 0 && Encoding.UTF8.GetByteCount(name.AsSpan(dot)) <= 32 ? name[dot..] : "";
        int room = BytesMax - Encoding.UTF8.GetByteCount(extension);
        int end = 0;
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (room < rune.Utf8SequenceLength)
                break;
            room -= rune.Utf8SequenceLength;
            end += rune.Utf16SequenceLength;
        }

        return name[..end] + extension;
    }
}
