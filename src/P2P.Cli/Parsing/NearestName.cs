namespace P2P.Cli.Parsing;

/// <summary>The name that a mistyped one most likely meant.</summary>
internal static class NearestName
{
    /// <summary>The closest candidate, or null when none is close: at most a third of the letters may differ, two always.</summary>
    public static string? Find(string typed, IEnumerable<string> candidates) => Find(typed, candidates, Math.Max(2, typed.Length / 3));

    /// <summary>The closest candidate, however far.</summary>
    public static string? FindAny(string typed, IEnumerable<string> candidates) => Find(typed, candidates, int.MaxValue - 1);

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).</summary>
    internal static int Distance(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replace, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }

    private static string? Find(string typed, IEnumerable<string> candidates, int distanceMax)
    {
        string? best = null;
        int bestDistance = distanceMax + 1;
        foreach (string candidate in candidates)
        {
            int distance = Distance(typed, candidate);
            if (distance > 0 && candidate.Length > 3 && candidate.TrimStart('-').StartsWith(typed.TrimStart('-'), StringComparison.Ordinal))
                distance = 1; // cut off rather than mistyped
            if (distance < bestDistance)
                (best, bestDistance) = (candidate, distance);
        }

        return best;
    }
}
