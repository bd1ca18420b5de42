using System.IO.Enumeration;

namespace P2P.Core.Content;

/// <summary>Sums the sizes of the files in a tree, links not followed.</summary>
internal static class TreeSize
{
    private static readonly EnumerationOptions AllFiles = new() { AttributesToSkip = 0, IgnoreInaccessible = true, RecurseSubdirectories = true, ReturnSpecialDirectories = false };

    /// <summary>The bytes of a file or of all files in a folder.</summary>
    public static long Of(string path, CancellationToken cancellationToken)
    {
        if (File.Exists(path))
            return new FileInfo(path).Length;
        var sizes = new FileSystemEnumerable<long>(path, static (ref FileSystemEntry entry) => entry.IsDirectory ? 0 : entry.Length, AllFiles)
        {
            ShouldRecursePredicate = static (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        long total = 0;
        foreach (long size in sizes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            total += size;
        }

        return total;
    }
}
