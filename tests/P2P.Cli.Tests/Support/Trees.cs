namespace P2P.Cli.Tests.Support;

/// <summary>Compares what was shared with what arrived.</summary>
internal static class Trees
{
    public static void AssertEqual(string expected, string actual) =>
        Assert.AreEqual("", string.Join("\n", Differences(expected, actual, "").Take(10)));

    /// <summary>Whether nothing stands in the folder but what is named: no part file, no lock, nothing half done.</summary>
    public static void AssertOnly(string folder, params string[] names) =>
        CollectionAssert.AreEquivalent(names, Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).ToArray());

    private static IEnumerable<string> Differences(string expected, string actual, string at)
    {
        if (new FileInfo(expected).LinkTarget is { } target)
        {
            if (new FileInfo(actual).LinkTarget != target)
                yield return $"{at} is not a link to {target}";
        }
        else if (Directory.Exists(expected))
        {
            if (!Directory.Exists(actual))
            {
                yield return $"{at} is no folder";
                yield break;
            }

            string[] wanted = [.. Directory.EnumerateFileSystemEntries(expected).Select(entry => Path.GetFileName(entry))];
            string[] there = [.. Directory.EnumerateFileSystemEntries(actual).Select(entry => Path.GetFileName(entry))];
            foreach (string extra in there.Except(wanted, StringComparer.Ordinal))
                yield return $"{at}/{extra} is too many";
            foreach (string name in wanted)
            {
                foreach (string difference in Differences(Path.Combine(expected, name), Path.Combine(actual, name), $"{at}/{name}"))
                    yield return difference;
            }
        }
        else if (!File.Exists(actual))
        {
            yield return $"{at} is missing";
        }
        else if (!SameBytes(expected, actual))
        {
            yield return $"{at} has other bytes";
        }
    }

    private static bool SameBytes(string expected, string actual)
    {
        using FileStream a = File.OpenRead(expected), b = File.OpenRead(actual);
        if (a.Length != b.Length)
            return false;
        byte[] left = new byte[1 << 20], right = new byte[1 << 20];
        int count;
        while ((count = a.ReadAtLeast(left, left.Length, throwOnEndOfStream: false)) > 0)
        {
            if (b.ReadAtLeast(right, right.Length, throwOnEndOfStream: false) != count || !left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count)))
                return false;
        }

        return true;
    }
}
