using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;

namespace P2P.Core.Content;

/// <summary>
/// A pattern for paths inside a share, segments separated by <c>/</c>, from its root: <c>*</c> within a segment, <c>**</c> across segments (<c>**/</c>
/// also none at all), <c>?</c> one character, <c>[a-z]</c> one of a class, <c>[!a-z]</c> one outside it. Case-sensitive on every system. What matches a
/// folder matches all below it. Matching keeps the set of places where the pattern may be, so its time is at most length times length: no pattern backtracks.
/// </summary>
internal sealed class Glob
{
    /// <summary>The longest pattern (characters).</summary>
    public const int MaxLength = 1024;

    private readonly Token[] _tokens;

    private Glob(string text, Token[] tokens)
    {
        Text = text;
        _tokens = tokens;
    }

    /// <summary>The pattern as it was given.</summary>
    public string Text { get; }

    /// <summary>Parses a pattern.</summary>
    /// <exception cref="FormatException">It is none; the message is a sentence that says why.</exception>
    public static Glob Parse(string text) => TryParse(text, out Glob? glob, out string? why) ? glob : throw new FormatException(why);

    /// <summary>Parses a pattern; on failure <paramref name="why"/> is a sentence.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Glob? glob, [NotNullWhen(false)] out string? why)
    {
        ArgumentNullException.ThrowIfNull(text);
        glob = null;
        why = null;
        string pattern = (text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text).Trim('/');
        if (pattern.Length == 0)
            why = "An empty pattern matches nothing.";
        else if (pattern.Length > MaxLength)
            why = $"A pattern has at most {MaxLength} characters, this one {pattern.Length}.";
        else if (!TryTokenize(pattern, out Token[]? tokens, out string? fault))
            why = $"The pattern \"{text}\" {fault}";
        else
            glob = new Glob(text, tokens);
        return glob is not null;
    }

    /// <summary>Whether the path, or a folder that it lies in, matches.</summary>
    public bool IsMatch(ReadOnlySpan<char> path) => Run(path, out _);

    /// <summary>Whether anything below the folder may match: false means that none of it has to be looked at. The root is the empty path.</summary>
    public bool CanMatchBelow(ReadOnlySpan<char> folder)
    {
        if (folder.IsEmpty)
            return true;
        return Run(string.Concat(folder, "/"), out bool isOpen) || isOpen;
    }

    public override string ToString() => Text;

    private bool Run(ReadOnlySpan<char> path, out bool isOpen)
    {
        const int BitsPerWord = 64;
        int words = (_tokens.Length / BitsPerWord) + 1;
        Span<ulong> places = stackalloc ulong[words], next = stackalloc ulong[words];
        places.Clear();
        places[0] = 1;
        Skip(places, isSegmentStart: true);
        isOpen = true;
        foreach (Rune c in path.EnumerateRunes())
        {
            if (c.Value == '/' && Has(places, _tokens.Length))
                return true; // a folder on the way
            next.Clear();
            for (int word = 0; word < words; word++)
            {
                for (ulong bits = places[word]; bits != 0; bits &= bits - 1)
                {
                    int at = (word * BitsPerWord) + BitOperations.TrailingZeroCount(bits);
                    if (at == _tokens.Length || !_tokens[at].Takes(c.Value))
                        continue;
                    int to = _tokens[at].IsRepeated ? at : at + 1;
                    next[to / BitsPerWord] |= 1UL << (to % BitsPerWord);
                }
            }

            Skip(next, c.Value == '/');
            next.CopyTo(places);
            isOpen = places.ContainsAnyExcept(0UL);
            if (!isOpen)
                return false;
        }

        return Has(places, _tokens.Length);
    }

    // what may stand for nothing may be passed over; places only move forward, so one pass does it
    private void Skip(Span<ulong> places, bool isSegmentStart)
    {
        for (int at = 0; at < _tokens.Length; at++)
        {
            bool isPassed = _tokens[at].Kind is TokenKind.Within or TokenKind.Across || (_tokens[at].Kind == TokenKind.Folders && isSegmentStart);
            if (isPassed && Has(places, at))
                places[(at + 1) / 64] |= 1UL << ((at + 1) % 64);
        }
    }

    private static bool Has(ReadOnlySpan<ulong> places, int at) => (places[at / 64] & (1UL << (at % 64))) != 0;

    private static bool TryTokenize(string pattern, [NotNullWhen(true)] out Token[]? tokens, [NotNullWhen(false)] out string? fault)
    {
        tokens = null;
        fault = null;
        Rune[] runes = [.. pattern.EnumerateRunes()];
        var found = new List<Token>(runes.Length);
        for (int i = 0; i < runes.Length;)
        {
            int c = runes[i].Value;
            switch (c)
            {
                case '*':
                    int first = i;
                    while (i < runes.Length && runes[i].Value == '*')
                        i++;
                    bool isSegment = (first == 0 || runes[first - 1].Value == '/') && i < runes.Length && runes[i].Value == '/';
                    TokenKind kind = i - first == 1 ? TokenKind.Within : isSegment ? TokenKind.Folders : TokenKind.Across;
                    i += kind == TokenKind.Folders ? 1 : 0; // with the slash behind it
                    found.Add(new Token(kind, 0, null));
                    break;
                case '?':
                    found.Add(new Token(TokenKind.One, 0, null));
                    i++;
                    break;
                case '[':
                    if (!TryReadClass(runes, ref i, out Token token, out fault))
                        return false;
                    found.Add(token);
                    break;
                default:
                    found.Add(new Token(TokenKind.Literal, c, null));
                    i++;
                    break;
            }
        }

        tokens = [.. found];
        return true;
    }

    // as POSIX has it: a ] right after the [ or [! belongs to the class
    private static bool TryReadClass(Rune[] runes, ref int i, out Token token, [NotNullWhen(false)] out string? fault)
    {
        token = default;
        int at = i + 1;
        bool isNegated = at < runes.Length && runes[at].Value is '!' or '^';
        at += isNegated ? 1 : 0;
        int first = at;
        var ranges = new List<(int From, int To)>();
        while (at < runes.Length && (runes[at].Value != ']' || at == first))
        {
            int from = runes[at].Value, to = from;
            bool isRange = at + 2 < runes.Length && runes[at + 1].Value == '-' && runes[at + 2].Value != ']';
            if (isRange)
                to = runes[at + 2].Value;
            if (to < from)
            {
                fault = $"has a class that runs backwards: {runes[at]}-{runes[at + 2]}.";
                return false;
            }

            ranges.Add((from, to));
            at += isRange ? 3 : 1;
        }

        if (at >= runes.Length)
        {
            fault = "has a [ without its ]. Write [[] for the character itself.";
            return false;
        }

        i = at + 1;
        token = new Token(isNegated ? TokenKind.NoneOf : TokenKind.OneOf, 0, [.. ranges]);
        fault = null;
        return true;
    }

    private enum TokenKind
    {
        Literal,
        One,
        OneOf,
        NoneOf,
        Within,
        Across,
        Folders,
    }

    private readonly record struct Token(TokenKind Kind, int Value, (int From, int To)[]? Ranges)
    {
        public bool IsRepeated => Kind is TokenKind.Within or TokenKind.Across or TokenKind.Folders;

        public bool Takes(int c) => Kind switch
        {
            TokenKind.Literal => c == Value,
            TokenKind.One or TokenKind.Within => c != '/',
            TokenKind.OneOf => c != '/' && IsInRange(c),
            TokenKind.NoneOf => c != '/' && !IsInRange(c),
            _ => true,
        };

        private bool IsInRange(int c)
        {
            foreach ((int from, int to) in Ranges!)
            {
                if (c >= from && c <= to)
                    return true;
            }

            return false;
        }
    }
}
