using System.Globalization;

namespace P2P.Fuzz;

/// <summary>The seeds that once failed: <c>target seed</c> on each line, <c>#</c> begins a comment.</summary>
internal static class SeedList
{
    private static readonly (string Name, ulong Seed)[] Entries =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "seeds.txt"))
            .Select(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length == 2)
            .Select(parts => (parts[0], ulong.Parse(parts[1], CultureInfo.InvariantCulture))),
    ];

    public static IEnumerable<string> Names => Entries.Select(entry => entry.Name).Distinct(StringComparer.Ordinal);

    public static IEnumerable<ulong> For(string name) => Entries.Where(entry => entry.Name == name).Select(entry => entry.Seed);
}
