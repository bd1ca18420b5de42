using System.IO.Enumeration;

namespace P2P.Core.Content;

/// <summary>Sums the sizes of the files in a tree, links not followed.</summary>
internal static class TreeSize
{
    private static readonly EnumerationOptions AllFiles = new() { AttributesToSkip = 0, IgnoreInaccessible = true, RecurseSubdirectories = true, ReturnSpecialDirectories = false };

    /// <summary>The bytes of a file or of all files in a folder.</summary>
    public static long Of(string path, CancellationToken cancellationToken) => Of(path, "", null, cancellationToken);

    /// <summary>The bytes of what is not excluded.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="inside">Its path in an import; empty when it is the root.</param>
    /// <param name="exclude">Says of a path in the import whether it is left out; null: nothing is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static long Of(string path, string inside, Func<string, bool>? exclude, CancellationToken cancellationToken)
    {
        if (inside.Length > 0 && exclude?.Invoke(inside) == true)
            return 0;
        if (File.Exists(path))
            return new FileInfo(path).Length;
        var sizes = new FileSystemEnumerable<long>(path, static (ref FileSystemEntry entry) => entry.IsDirectory ? 0 : entry.Length, AllFiles)
        {
            ShouldRecursePredicate = IsMeant,
            ShouldIncludePredicate = IsMeant,
        };
        long total = 0;
        foreach (long size in sizes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            total += size;
        }

        return total;

        bool IsMeant(ref FileSystemEntry entry) =>
            !entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && (exclude is null || !exclude(InsideOf(ref entry)));

        string InsideOf(ref FileSystemEntry entry)
        {
            string below = entry.ToFullPath()[path.Length..].TrimStart(Path.DirectorySeparatorChar).Replace(Path.DirectorySeparatorChar, '/');
            return inside.Length == 0 ? below : inside + "/" + below;
        }
    }
}
