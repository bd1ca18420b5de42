using System.Text;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>How an entry relates to what is selected of a tree.</summary>
internal enum SelectionScope : byte
{
    /// <summary>It is selected, and so is all below it.</summary>
    Inside,

    /// <summary>It is not, but something below it may be if it is a folder.</summary>
    Above,

    /// <summary>Neither it nor anything below it is.</summary>
    Outside,
}

/// <summary>What of a tree is wanted: the entries that a pattern matches, and all below them.</summary>
internal sealed class Selection
{
    /// <summary>The most patterns (count).</summary>
    public const int MaxPatterns = 1_000;

    // A longer path is on no disk, so nobody means it; hostile names would make comparing costly.
    private const int MaxPathChars = 32 << 10;

    private static readonly System.Buffers.SearchValues<char> Special = System.Buffers.SearchValues.Create("*?[");

    private readonly Pattern[] _patterns;

    /// <summary>Makes a selection of patterns as a user gave them.</summary>
    /// <exception cref="ArgumentException">One of them is no pattern; the message is a sentence.</exception>
    public Selection(IReadOnlyCollection<string> patterns)
    {
        if (patterns.Count > MaxPatterns)
            throw new SelectionException($"At most {MaxPatterns} patterns can be selected by at once, these are {patterns.Count}.");
        _patterns = [.. patterns.Select(Pattern.Parse)];
    }

    /// <summary>Look at every name of a folder, also where the patterns spell out those that matter.</summary>
    public bool IsThorough { get; set; }

    /// <summary>The patterns that no entry matched so far, as they were given.</summary>
    public IEnumerable<string> Unmatched => _patterns.Where(static pattern => !pattern.IsMatched).Select(static pattern => pattern.Glob.Text);

    /// <summary>Looks at an entry by its path inside the root, and notes which patterns match.</summary>
    public SelectionScope ScopeOf(string path)
    {
        if (path.Length > MaxPathChars)
            return SelectionScope.Outside;
        SelectionScope scope = SelectionScope.Outside;
        foreach (Pattern pattern in _patterns)
        {
            if (pattern.Glob.IsMatch(path))
            {
                pattern.IsMatched = true;
                scope = SelectionScope.Inside;
            }
            else if (scope == SelectionScope.Outside && pattern.Glob.CanMatchBelow(path))
            {
                scope = SelectionScope.Above;
            }
        }

        return scope;
    }

    /// <summary>
    /// The hashes of the names that matter in a folder, when the patterns spell them out: of a large folder only the shards on the way to them are
    /// loaded. Null: any name may matter.
    /// </summary>
    public ulong[]? NamesIn(string folder)
    {
        if (IsThorough)
            return null;
        int depth = folder.Length == 0 ? 0 : folder.Count('/') + 1;
        var hashes = new List<ulong>();
        foreach (Pattern pattern in _patterns)
        {
            if (!pattern.Glob.CanMatchBelow(folder))
                continue;
            if (depth >= pattern.Plain.Length)
                return null;
            hashes.Add(Murmur3.Hash64(Encoding.UTF8.GetBytes(pattern.Plain[depth])));
        }

        return [.. hashes];
    }

    // Plain: its leading segments without wildcards
    private sealed record Pattern(Glob Glob, string[] Plain)
    {
        public bool IsMatched { get; set; }

        public static Pattern Parse(string text)
        {
            if (!Glob.TryParse(text, out Glob? glob, out string? why))
                throw new SelectionException(why);
            string[] segments = (text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text).Trim('/').Split('/');
            return new Pattern(glob, [.. segments.TakeWhile(static segment => !segment.AsSpan().ContainsAny(Special))]);
        }
    }
}

/// <summary>A selection that is none, or that selects nothing: a mistake of the caller. The message is a sentence for people.</summary>
internal sealed class SelectionException(string message) : ArgumentException(message);
