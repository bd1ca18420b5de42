namespace P2P.Core.Store;

/// <summary>A source file that is not what it was.</summary>
/// <param name="Path">Where it lies, or lay.</param>
/// <param name="IsMissing">Whether it is gone, or no file any more.</param>
internal readonly record struct SourceFinding(string Path, bool IsMissing);

/// <summary>
/// Finds which source files of a pin changed: looks at each file, not at its bytes. A file belongs to the pin when its root block does, so a path that was
/// imported again with other content counts for the earlier share only.
/// </summary>
internal sealed class SourceSurvey(IndexReaders readers, PinTable pins, IDisk disk)
{
    // the key of a block is its multihash: its CID without the two bytes of version and codec
    private const string FilesSql =
        "SELECT f.name, f.size, f.modified_ns, f.inode, f.device, f.state, b.pin_set FROM files f JOIN blocks b ON b.key=substr(f.root, 3) " +
        "WHERE f.folder=?1 AND (?2 IS NULL OR f.name=?2) ORDER BY f.name";

    /// <summary>Finds them.</summary>
    /// <returns>The first of them by path, and how many there are.</returns>
    public (IReadOnlyList<SourceFinding> First, int Count) Find(Pin pin, int max, CancellationToken cancellationToken)
    {
        var first = new List<SourceFinding>();
        int count = 0;
        foreach (string path in pin.Path is { } one ? [one] : pin.Paths)
        {
            foreach (SourceFinding finding in FindBelow(pin.Id, TargetOf(path), cancellationToken))
            {
                count++;
                if (first.Count < max)
                    first.Add(finding);
            }
        }

        return (first, count);
    }

    // what a user shared by the name of a link lies where the link leads
    private static string TargetOf(string path)
    {
        try
        {
            return Path.Exists(path) ? new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return path; // then its files are missing, which is what is told
        }
    }

    private IEnumerable<SourceFinding> FindBelow(PinId pin, string path, CancellationToken cancellationToken)
    {
        foreach ((long folder, string folderPath, bool isParent) in FoldersOf(path))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (IGrouping<string, FileRow> file in FilesIn(folder, isParent ? Path.GetFileName(path) : null).GroupBy(row => row.Name, StringComparer.Ordinal))
            {
                FileRow[] rows = [.. file.Where(row => pins.IsIn(row.PinSet, pin))];
                if (rows.Length == 0)
                    continue;
                string full = Path.Combine(folderPath, file.Key);
                if (!disk.TryGetIdentity(full, out FileIdentity now))
                    yield return new SourceFinding(full, IsMissing: true);
                else if (!Array.Exists(rows, row => row.IsSound(now)))
                    yield return new SourceFinding(full, IsMissing: false);
            }
        }
    }

    private List<(long Id, string Path, bool IsParent)> FoldersOf(string path)
    {
        string folder = Path.TrimEndingDirectorySeparator(path).TrimEnd(Path.DirectorySeparatorChar); // nothing is left of the root
        string from = folder + Path.DirectorySeparatorChar, to = folder + (char)(Path.DirectorySeparatorChar + 1);
        using IndexReaders.Lease lease = readers.Take();
        return lease.Reader.Query(
            "SELECT id, path, path=?4 FROM folders WHERE path=?1 OR (path>=?2 AND path<?3) OR path=?4 ORDER BY path",
            row => (row.GetInt64(0), row.GetText(1), row.GetInt64(2) != 0),
            statement => statement.Bind(1, path).Bind(2, from).Bind(3, to).Bind(4, Path.GetDirectoryName(path) ?? path));
    }

    private List<FileRow> FilesIn(long folder, string? name)
    {
        using IndexReaders.Lease lease = readers.Take();
        return lease.Reader.Query(
            FilesSql,
            row => new FileRow(
                row.GetText(0),
                new FileIdentity(row.GetInt64(1), row.GetInt64(2), (ulong)row.GetInt64(3), (ulong)row.GetInt64(4)),
                (SourceState)row.GetInt32(5),
                row.GetInt64(6)),
            statement => statement.Bind(1, folder).Bind(2, name));
    }

    private readonly record struct FileRow(string Name, FileIdentity Identity, SourceState State, long PinSet)
    {
        // what a fetch is writing changes all the time; of what is edited or superseded, some bytes are known to be others
        public bool IsSound(in FileIdentity now) => State switch
        {
            SourceState.BeingWritten => true,
            SourceState.Sound or SourceState.Missing => Identity == now,
            _ => false,
        };
    }
}
