namespace P2P.Cli.Commands;

/// <summary>Compares two files or two trees byte for byte.</summary>
internal static class FolderComparison
{
    private const int BufferBytes = 1 << 20;

    public static bool AreEqual(string left, string right, CancellationToken cancellationToken)
    {
        if (new FileInfo(left).LinkTarget is { } target)
            return new FileInfo(right).LinkTarget == target;
        if (!Directory.Exists(left))
            return File.Exists(right) && FilesAreEqual(left, right, cancellationToken);
        string[] names = Names(left);
        return Directory.Exists(right) && names.SequenceEqual(Names(right), StringComparer.Ordinal)
            && names.All(name => AreEqual(Path.Combine(left, name), Path.Combine(right, name), cancellationToken));
    }

    private static string[] Names(string folder)
    {
        string[] names = [.. Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry))];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    private static bool FilesAreEqual(string left, string right, CancellationToken cancellationToken)
    {
        using FileStream a = File.OpenRead(left), b = File.OpenRead(right);
        if (a.Length != b.Length)
            return false;
        byte[] bufferA = new byte[BufferBytes], bufferB = new byte[BufferBytes];
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = a.ReadAtLeast(bufferA, BufferBytes, throwOnEndOfStream: false);
            if (b.ReadAtLeast(bufferB, BufferBytes, throwOnEndOfStream: false) != read || !bufferA.AsSpan(0, read).SequenceEqual(bufferB.AsSpan(0, read)))
                return false;
            if (read == 0)
                return true;
        }
    }
}
