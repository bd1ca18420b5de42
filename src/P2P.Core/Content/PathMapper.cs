using System.Text;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Follows a walk over a tree and gives each entry its place on disk: checked, mapped where the system cannot hold the name, unique in its folder.</summary>
internal sealed class PathMapper(TargetSystem system)
{
    private const int MaxNames = 2_000_000; // in all folders between the root and here: about 200 MB at worst
    private const int MaxNumbered = 8;
    private const int MaxRenamed = 10_000;
    private const int MaxRenamedChars = 4 << 20;
    private const int MaxPathChars = 32 << 10; // Windows takes no longer ones, Linux 4 KiB

    private readonly Stack<Folder> _folders = new();
    private int _names;
    private int _renamedChars;

    /// <summary>What could not keep its name: the first 10,000, fewer when their names are long.</summary>
    public List<RenamedEntry> Renamed { get; } = [];

    /// <summary>How many could not keep their name, those beyond the list included.</summary>
    public long RenamedCount { get; private set; }

    /// <summary>Places an entry. False: it is not the first of its name in its folder and does not count.</summary>
    /// <param name="name">The name as shared; empty for the root.</param>
    /// <param name="local">Its path on disk inside the root.</param>
    /// <param name="renamed">What became of its name, to be reported if the entry is written; null: it stays.</param>
    /// <exception cref="P2PException">Integrity: a name that no system can hold.</exception>
    public bool TryPlace(ReadOnlySpan<byte> name, out string local, out RenamedEntry? renamed)
    {
        local = "";
        renamed = null;
        if (_folders.Count == 0)
            return true;
        Folder folder = _folders.Peek();
        string file = PathRules.ToFileName(name, system);
        ulong hash = Murmur3.Hash64(name);
        for (int number = 1; ; number++)
        {
            string key = PathRules.CollisionKey(file, system);
            if (folder.Taken.TryAdd(key, hash))
                break;
            if (folder.Taken[key] == hash)
                return false;
            string plain = PathRules.ToFileName(name, system);
            file = number switch
            {
                <= MaxNumbered => PathRules.Numbered(plain, number, system),
                MaxNumbered + 1 => PathRules.Marked(plain, name, system), // a million spellings of one name must not be counted through for each
                _ => PathRules.Numbered(PathRules.Marked(plain, name, system), number, system),
            };
        }

        if (++_names > MaxNames)
            throw new P2PException(P2PErrorCode.Integrity, $"The content has folders with more than {MaxNames} names inside each other, more than is accepted.");
        local = Join(folder.Local, file);
        if (local.Length > MaxPathChars)
            throw new P2PException(P2PErrorCode.Integrity, $"The content has a path of more than {MaxPathChars} characters, more than is accepted.");
        string original = Encoding.UTF8.GetString(name);
        if (!string.Equals(original, file, StringComparison.Ordinal) || original.Contains('\uFFFD'))
            renamed = new RenamedEntry(Join(folder.Original, original), file);
        return true;
    }

    /// <summary>Goes into the folder that was placed last.</summary>
    /// <param name="name">Its name as shared.</param>
    /// <param name="local">Where it was placed; null leaves it out.</param>
    public void Enter(ReadOnlySpan<byte> name, string? local)
    {
        string original = _folders.Count == 0 ? "" : Join(_folders.Peek().Original, Encoding.UTF8.GetString(name));
        _folders.Push(new Folder(local ?? "", original.Length > MaxPathChars ? original[..MaxPathChars] : original));
    }

    /// <summary>Leaves the current folder.</summary>
    public void Leave() => _names -= _folders.Pop().Taken.Count;

    /// <summary>Notes an entry that did not keep its name, or with an empty new name one that was left out.</summary>
    public void Report(RenamedEntry renamed)
    {
        RenamedCount++;
        (string from, string to) = (renamed.From, renamed.To);
        if (Renamed.Count == MaxRenamed || from.Length + to.Length > MaxRenamedChars - _renamedChars)
            return;
        _renamedChars += from.Length + to.Length;
        Renamed.Add(renamed);
    }

    private static string Join(string folder, string name) => folder.Length == 0 ? name : folder + "/" + name;

    private sealed record Folder(string Local, string Original)
    {
        public Dictionary<string, ulong> Taken { get; } = new(StringComparer.Ordinal);
    }
}
