using System.Diagnostics;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

[TestClass]
public sealed class GlobTests
{
    [TestMethod]
    [DataRow("a.txt", "a.txt", true)]
    [DataRow("a.txt", "A.txt", false)]
    [DataRow("a.txt", "b/a.txt", false)]
    [DataRow("*.txt", "a.txt", true)]
    [DataRow("*.txt", ".txt", true)]
    [DataRow("*.txt", "b/a.txt", false)]
    [DataRow("**/*.txt", "a.txt", true)]
    [DataRow("**/*.txt", "b/c/a.txt", true)]
    [DataRow("**/a.txt", "ba.txt", false)]
    [DataRow("b/**/a", "b/a", true)]
    [DataRow("b/**/a", "b/x/y/a", true)]
    [DataRow("b/**/a", "bx/a", false)]
    [DataRow("b/**", "b/x/y", true)]
    [DataRow("b/**", "b", false)]
    [DataRow("b**a", "b/x/a", true)]
    [DataRow("**", "x/y", true)]
    [DataRow("b/*/a", "b/x/a", true)]
    [DataRow("b/*/a", "b/x/y/a", false)]
    [DataRow("?", "x", true)]
    [DataRow("?", "", false)]
    [DataRow("?", "/", false)]
    [DataRow("a?c", "a/c", false)]
    [DataRow("?", "\U0001F4C1", true)]
    [DataRow("[a-c]x", "bx", true)]
    [DataRow("[a-c]x", "dx", false)]
    [DataRow("[!a-c]x", "dx", true)]
    [DataRow("[^a-c]x", "bx", false)]
    [DataRow("a[!b]c", "a/c", false)]
    [DataRow("[]]", "]", true)]
    [DataRow("[[]x]", "[x]", true)]
    [DataRow("[a-]", "-", true)]
    [DataRow("*a*b*", "xxaxxbxx", true)]
    [DataRow("*a*b*", "xxbxxaxx", false)]
    [DataRow("./docs/", "docs", true)]
    public void A_pattern_matches_what_the_rules_say(string pattern, string path, bool expected) => Assert.AreEqual(expected, Glob.Parse(pattern).IsMatch(path));

    [TestMethod]
    public void A_folder_that_matches_takes_all_below_it()
    {
        Glob glob = Glob.Parse("src/*");
        Assert.IsTrue(glob.IsMatch("src/lib/deep/file.cs"));
        Assert.IsFalse(glob.IsMatch("src"));
        Assert.IsFalse(glob.IsMatch("srcs/lib"));
        Assert.IsTrue(Glob.Parse("docs").IsMatch("docs/a/b"));
        Assert.IsFalse(Glob.Parse("docs").IsMatch("docs.txt"));
    }

    [TestMethod]
    public void What_cannot_match_below_a_folder_is_known_at_the_folder()
    {
        Assert.IsTrue(Glob.Parse("a/b/*.txt").CanMatchBelow(""));
        Assert.IsTrue(Glob.Parse("a/b/*.txt").CanMatchBelow("a"));
        Assert.IsTrue(Glob.Parse("a/b/*.txt").CanMatchBelow("a/b"));
        Assert.IsFalse(Glob.Parse("a/b/*.txt").CanMatchBelow("a/c"));
        Assert.IsFalse(Glob.Parse("*.txt").CanMatchBelow("a"));
        Assert.IsTrue(Glob.Parse("a").CanMatchBelow("a"));
        Assert.IsTrue(Glob.Parse("**/x").CanMatchBelow("any/where"));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("/")]
    [DataRow("./")]
    [DataRow("[a")]
    [DataRow("[]")]
    [DataRow("[z-a]")]
    public void A_pattern_that_is_none_is_refused_with_a_sentence(string pattern)
    {
        Assert.IsFalse(Glob.TryParse(pattern, out _, out string? why));
        Assert.IsTrue(why.EndsWith('.'), why);
        Assert.ThrowsExactly<FormatException>(() => Glob.Parse(pattern));
    }

    [TestMethod]
    public void A_pattern_is_at_most_so_long()
    {
        Assert.IsTrue(Glob.TryParse(new string('a', Glob.MaxLength), out _, out _));
        Assert.IsFalse(Glob.TryParse(new string('a', Glob.MaxLength + 1), out _, out _));
    }

    [TestMethod]
    public void The_worst_pattern_takes_no_exponential_time()
    {
        Glob glob = Glob.Parse(string.Concat(Enumerable.Repeat("*a", Glob.MaxLength / 2)));
        long start = Stopwatch.GetTimestamp();
        Assert.IsFalse(glob.IsMatch(new string('a', 4095) + "b"));
        Assert.IsLessThan(TimeSpan.FromSeconds(5), Stopwatch.GetElapsedTime(start));
    }

    [TestMethod]
    public void Random_patterns_match_as_a_plain_recursive_matcher_says()
    {
        var random = new Random(7);
        const string Letters = "ab/*?";
        for (int round = 0; round < 20_000; round++)
        {
            string pattern = Text(random, Letters, 6), path = Text(random, "ab/", 8).Trim('/');
            if (path.Length == 0 || path.Contains("//", StringComparison.Ordinal) || !Glob.TryParse(pattern, out Glob? glob, out _))
                continue;
            string trimmed = pattern.Trim('/');
            bool expected = Matches(trimmed, path, 0, 0);
            for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0 && !expected; slash = path.IndexOf('/', slash + 1))
                expected = Matches(trimmed, path[..slash], 0, 0);
            Assert.AreEqual(expected, glob.IsMatch(path), $"{pattern} on {path}");
        }
    }

    private static string Text(Random random, string letters, int lengthMax) =>
        string.Concat(Enumerable.Range(0, random.Next(1, lengthMax + 1)).Select(_ => letters[random.Next(letters.Length)]));

    private static bool Matches(string pattern, string path, int p, int t)
    {
        if (p == pattern.Length)
            return t == path.Length;
        if (pattern[p] == '*')
        {
            int stars = p;
            while (p < pattern.Length && pattern[p] == '*')
                p++;
            bool isSegment = p - stars > 1 && (stars == 0 || pattern[stars - 1] == '/') && p < pattern.Length && pattern[p] == '/';
            for (int to = t; to <= path.Length; to++)
            {
                if (!isSegment && Matches(pattern, path, p, to))
                    return true;
                if (isSegment && (to == 0 || path[to - 1] == '/') && Matches(pattern, path, p + 1, to))
                    return true;
                if (to < path.Length && path[to] == '/' && p - stars == 1)
                    return false;
            }

            return false;
        }

        return t < path.Length && (pattern[p] == '?' ? path[t] != '/' : pattern[p] == path[t]) && Matches(pattern, path, p + 1, t + 1);
    }
}
