using System.Runtime.InteropServices;
using System.Text;
using P2P.Core.Content;

namespace P2P.Core;

/// <summary>Makes harmless file names of names that others chose: the label of a link, an entry of shared content.</summary>
public static class FileNames
{
    /// <summary>
    /// One file name out of whatever was claimed: no separators, no control characters, nothing that the system gives a meaning of its own (device names,
    /// streams, dots and spaces at the end on Windows), not longer than disks take. A name that is harmless already stays as it is.
    /// </summary>
    /// <param name="claimed">The name that somebody gave it; null or empty: none.</param>
    /// <param name="fallback">The name when nothing is left of the claim, for example the content id.</param>
    /// <param name="system">Whose rules hold: Linux, macOS (<see cref="OSPlatform.OSX"/>) or Windows; null: those of this system.</param>
    public static string Sanitize(string? claimed, string fallback, OSPlatform? system = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(fallback);
        if (string.IsNullOrEmpty(claimed))
            return fallback;
        TargetSystem rules = system is not { } given ? TargetSystems.Current
            : given == OSPlatform.Windows ? TargetSystem.Windows
            : given == OSPlatform.OSX ? TargetSystem.MacOS : TargetSystem.Linux;
        var name = new StringBuilder(claimed.Length);
        for (int i = 0; i < claimed.Length; i++)
        {
            bool isPair = char.IsHighSurrogate(claimed[i]) && i + 1 < claimed.Length && char.IsLowSurrogate(claimed[i + 1]);
            bool isBad = claimed[i] is '/' or < ' ' or '\u007f' || (char.IsSurrogate(claimed[i]) && !isPair);
            name.Append(isBad ? '_' : claimed[i]);
            if (isPair)
                name.Append(claimed[++i]);
        }

        string plain = rules == TargetSystem.Windows ? name.ToString().TrimEnd(' ', '.') : name.ToString();
        byte[] bytes = Encoding.UTF8.GetBytes(plain);
        return PathRules.IsForbidden(bytes) ? fallback : PathRules.ToFileName(bytes, rules);
    }
}
