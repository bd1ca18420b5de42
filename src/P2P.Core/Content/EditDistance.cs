namespace P2P.Core.Content;

/// <summary>How far apart two names are.</summary>
internal static class EditDistance
{
    /// <summary>Insertions, deletions and replacements that make one of the other (Levenshtein). Takes time for each pair of characters: for short names.</summary>
    public static int Between(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        int[] above = new int[b.Length + 1];
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
            above[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                row[j] = Math.Min(above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), Math.Min(above[j], row[j - 1]) + 1);
            (above, row) = (row, above);
        }

        return above[b.Length];
    }
}
