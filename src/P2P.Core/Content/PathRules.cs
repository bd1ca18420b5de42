using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace P2P.Core.Content;

/// <summary>
/// What names may become on disk. Pure functions with the system as a parameter, so that the rules of every system are tested on each.
/// Names come from strangers: nothing that leaves the target folder may pass.
/// </summary>
internal static class PathRules
{
    /// <summary>The longest name: bytes of UTF-8 on Linux and macOS, UTF-16 units on Windows.</summary>
    public const int MaxNameLength = 255;

    private static readonly SearchValues<char> WindowsReserved = SearchValues.Create("<>:\"/\\|?*");

    private static readonly HashSet<string> WindowsDevices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$",
        "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM\u00B9", "COM\u00B2", "COM\u00B3",
        "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT\u00B9", "LPT\u00B2", "LPT\u00B3",
    };

    /// <summary>Whether a name is one that no folder can hold and that only an attack or a fault writes: empty, dots, with a slash or NUL.</summary>
    public static bool IsForbidden(ReadOnlySpan<byte> name) =>
        name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.ContainsAny((byte)'/', (byte)0);

    /// <summary>The refusal of a forbidden name.</summary>
    public static P2PException ForbiddenName(ReadOnlySpan<byte> name) =>
        new(P2PErrorCode.Integrity, $"The content names an entry '{Diagnostics.UntrustedText.Clean(Encoding.UTF8.GetString(name))}', which cannot be a file's name. It is malformed or hostile.");

    /// <summary>The name under which an entry is written. The same name comes out when the system can hold it; never empty, dots or a path.</summary>
    public static string ToFileName(ReadOnlySpan<byte> name, TargetSystem system)
    {
        if (IsForbidden(name))
            throw ForbiddenName(name);
        string text = Encoding.UTF8.GetString(name); // bytes that are no UTF-8 become U+FFFD
        if (system == TargetSystem.Windows)
            text = ToWindowsName(text);
        bool isSame = text.Contains('\uFFFD') ? Encoding.UTF8.GetBytes(text).AsSpan().SequenceEqual(name) : true;
        if (isSame && LengthOf(text, system) <= MaxNameLength)
            return text;

        // two different names may have become the same here, so the name's hash goes in
        return Marked(text, name, system);
    }

    /// <summary>
    /// Two names with the same key may be the same file on such a system: Windows compares without case, macOS without case and Unicode form. The key may
    /// hold together more than the system does, never less.
    /// </summary>
    public static string CollisionKey(string name, TargetSystem system) => system switch
    {
        TargetSystem.Linux => name,
        TargetSystem.MacOS => UnicodeFolding.Fold(name),
        _ => name.ToUpperInvariant(),
    };

    /// <summary>The name with a mark of its own bytes: for one that cannot stay and must not meet another.</summary>
    public static string Marked(string name, ReadOnlySpan<byte> original, TargetSystem system) =>
        Insert(name, "~" + Convert.ToHexStringLower(SHA256.HashData(original))[..8], system);

    /// <summary>The n-th other name for a file whose name is taken: <c>NAME (1).EXT</c>.</summary>
    public static string Numbered(string name, int number, TargetSystem system) =>
        Insert(name, string.Create(System.Globalization.CultureInfo.InvariantCulture, $" ({number})"), system);

    /// <summary>
    /// Whether a symbolic link stays inside the tree: relative, never above the root on its way, and through no other link.
    /// The target is read as the system's own separator rules have it.
    /// </summary>
    /// <param name="folder">The link's folder inside the root, segments separated by <c>/</c>; empty for the root.</param>
    /// <param name="target">What the link says.</param>
    /// <param name="isLink">Says of a path inside the root whether a link of the tree stands there.</param>
    public static bool LinkStaysInside(string folder, string target, Func<string, bool> isLink)
    {
        if (target.Length == 0 || target[0] == '/' || target.Contains('\0') || target.Contains('\uFFFD'))
            return false;
        var path = new List<string>(folder.Split('/', StringSplitOptions.RemoveEmptyEntries));
        string[] segments = target.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < segments.Length; i++)
        {
            switch (segments[i])
            {
                case ".":
                    break;
                case ".." when path.Count == 0:
                    return false;
                case "..":
                    path.RemoveAt(path.Count - 1);
                    break;
                default:
                    path.Add(segments[i]);
                    if (i < segments.Length - 1 && isLink(string.Join('/', path)))
                        return false;
                    break;
            }
        }

        return true;
    }

    private static string ToWindowsName(string name)
    {
        char[] text = name.ToCharArray();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] < ' ' || WindowsReserved.Contains(text[i]))
                text[i] = '_';
        }

        for (int i = text.Length - 1; i >= 0 && text[i] is '.' or ' '; i--)
            text[i] = '_'; // Windows drops them, so "a." would be "a" and ".. " would be ".."
        string result = new(text);
        int dot = result.IndexOf('.', StringComparison.Ordinal);
        string stem = (dot < 0 ? result : result[..dot]).TrimEnd(' ');
        return WindowsDevices.Contains(stem) ? "_" + result : result;
    }

    private static int LengthOf(string name, TargetSystem system) => system == TargetSystem.Windows ? name.Length : Encoding.UTF8.GetByteCount(name);

    // puts a mark before the extension and shortens the stem, then the extension, until the whole fits
    private static string Insert(string name, string mark, TargetSystem system)
    {
        int dot = name.LastIndexOf('.');
        string stem = dot > 0 ? name[..dot] : name;
        string extension = dot > 0 ? name[dot..] : "";
        if (LengthOf(extension, system) > MaxNameLength / 4)
            (stem, extension) = (name, "");
        int room = MaxNameLength - LengthOf(extension, system) - mark.Length;
        if (stem.Length > room)
            stem = stem[..(char.IsHighSurrogate(stem[room - 1]) ? room - 1 : room)]; // at once: a name may have two million characters
        while (LengthOf(stem, system) > room)
            stem = stem[..^(stem.Length > 1 && char.IsLowSurrogate(stem[^1]) ? 2 : 1)];
        return stem + mark + extension;
    }
}
