namespace P2P.Testing;

/// <summary>
/// A folder on a <see cref="FaultyDisk"/>: its names now, the names that a power cut cannot take back, and the changes between. After a cut the changes of a
/// folder survive in order up to some point, as with every journalling file system; nothing is promised about the order between two folders, so that a
/// rename from one to another may leave both names or none. Flushing a file does not flush its name. POSIX promises no more, and ext4 gives more.
/// </summary>
internal sealed class FaultyFolder
{
    private readonly Dictionary<string, object> _durable = new(StringComparer.Ordinal);
    private readonly List<NameChange[]> _pending = [];

    /// <summary>Files and folders by name.</summary>
    public Dictionary<string, object> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Changes names; the changes of one call survive together or not at all.</summary>
    public void Change(params NameChange[] changes)
    {
        foreach (NameChange change in changes)
            change.Apply(Entries);
        _pending.Add(changes);
    }

    public void Flush()
    {
        foreach (NameChange change in _pending.SelectMany(changes => changes))
            change.Apply(_durable);
        _pending.Clear();
    }

    /// <summary>What a power cut leaves of the folder and all below it.</summary>
    public FaultyFolder Survive(Random random, Dictionary<FaultyFile, FaultyFile> files)
    {
        Dictionary<string, object> names = new(_durable, StringComparer.Ordinal);
        int count = random.Next(4) switch { 0 => 0, 1 => _pending.Count, _ => random.Next(_pending.Count + 1) };
        foreach (NameChange change in _pending.Take(count).SelectMany(changes => changes))
            change.Apply(names);
        FaultyFolder survivor = new();
        foreach ((string name, object node) in names)
        {
            object left = node is FaultyFolder folder ? folder.Survive(random, files) : SurviveOnce((FaultyFile)node, random, files);
            survivor.Entries[name] = left;
            survivor._durable[name] = left;
        }
        return survivor;
    }

    private static FaultyFile SurviveOnce(FaultyFile file, Random random, Dictionary<FaultyFile, FaultyFile> files)
    {
        if (!files.TryGetValue(file, out FaultyFile? survivor))
        {
            survivor = file.Survive(random);
            files.Add(file, survivor);
        }
        survivor.Links++;
        return survivor;
    }
}

/// <summary>A name in a folder leads to another file or folder, or nowhere.</summary>
internal readonly record struct NameChange(string Name, object? Node)
{
    public void Apply(Dictionary<string, object> names)
    {
        if (Node is null)
            names.Remove(Name);
        else
            names[Name] = Node;
    }
}
