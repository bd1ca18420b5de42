namespace P2P.Core.Content;

/// <summary>What content says of its folders, kept until everything lies in them: an entry that comes changes a folder's time, and a folder that may not be written takes none.</summary>
internal sealed class FolderMetadata
{
    private const long MaxChars = 32 << 20; // of all paths: some 500,000 folders

    private readonly List<(string Local, FileMetadata Metadata)> _folders = []; // a folder before those in it
    private long _chars;

    /// <summary>How many folders will keep neither mode nor time, because there are too many to remember.</summary>
    public long Dropped { get; private set; }

    /// <summary>Remembers a folder's.</summary>
    public void Add(string local, in FileMetadata metadata)
    {
        if (metadata.IsEmpty)
            return;
        _chars += local.Length + 1;
        if (_chars > MaxChars)
            Dropped++;
        else
            _folders.Add((local, metadata));
    }

    /// <summary>Gives each folder what it is said to have, the deepest first.</summary>
    /// <param name="root">Where they are.</param>
    /// <param name="isMeant">Of a folder, whether it was made by this fetch.</param>
    public void ApplyTo(HeldFolder root, Func<string, bool> isMeant)
    {
        for (int i = _folders.Count - 1; i >= 0; i--)
        {
            (string local, FileMetadata metadata) = _folders[i];
            if (!isMeant(local))
                continue;
            using HeldFolder folder = root.OpenFolder(local);
            if (metadata.Mode is { } mode)
                folder.SetMode(mode);
            if (metadata.Modified is { } time)
                folder.SetModified(in time);
        }
    }
}
