using System.IO.Enumeration;

namespace P2P.Core.Content;

/// <summary>Looks before an import whether each pattern that is to leave something out matches anything: a typo would share what was meant to stay private.</summary>
internal static class ExcludeCheck
{
    private const int MaxNamesCompared = 20_000;
    private const int MaxNameChars = 256;
    private const int NamesShown = 3;

    private static readonly EnumerationOptions AllEntries = new() { AttributesToSkip = 0, IgnoreInaccessible = true, RecurseSubdirectories = true, ReturnSpecialDirectories = false };

    /// <summary>Walks the names, no further than until every pattern matched.</summary>
    /// <exception cref="ArgumentException">A pattern matches nothing; the message has the nearest names.</exception>
    public static void Require(IReadOnlyCollection<string> paths, IReadOnlyList<Glob> patterns, CancellationToken cancellationToken)
    {
        var open = new List<Glob>(patterns);
        var names = new List<string>();
        foreach (string inside in paths.SelectMany(path => NamesIn(Path.TrimEndingDirectorySeparator(path), isRoot: paths.Count == 1)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            open.RemoveAll(glob => glob.IsMatch(inside));
            if (open.Count == 0)
                return;
            if (names.Count < MaxNamesCompared && inside.Length <= MaxNameChars)
                names.Add(inside);
        }

        if (open is not [Glob first, ..])
            return;
        string pattern = first.Text[..Math.Min(first.Text.Length, MaxNameChars)];
        string[] near = [.. names.OrderBy(name => EditDistance.Between(pattern, name)).ThenBy(static name => name, StringComparer.Ordinal).Take(NamesShown)];
        string advice = near.Length == 0 ? "There is nothing to leave out." : $"The nearest names: {string.Join(", ", near)}.";
        throw new ArgumentException($"The pattern \"{first.Text}\" matches nothing, so nothing was shared. {Diagnostics.UntrustedText.Clean(advice)}", nameof(patterns));
    }

    private static IEnumerable<string> NamesIn(string path, bool isRoot)
    {
        string own = isRoot ? "" : Path.GetFileName(path);
        if (!isRoot)
            yield return own;
        if (!Directory.Exists(path))
            yield break;
        string root = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        int skipped = root.EndsWith(Path.DirectorySeparatorChar) ? root.Length : root.Length + 1;
        var found = new FileSystemEnumerable<string>(root, static (ref FileSystemEntry entry) => entry.ToFullPath(), AllEntries)
        {
            ShouldRecursePredicate = static (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        foreach (string full in found)
        {
            string inside = full[skipped..].Replace(Path.DirectorySeparatorChar, '/');
            yield return isRoot ? inside : own + "/" + inside;
        }
    }
}
