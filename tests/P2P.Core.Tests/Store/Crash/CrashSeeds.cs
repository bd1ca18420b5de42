using System.Globalization;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>The seeds that once failed: one on each line of the list, <c>#</c> begins a comment.</summary>
internal static class CrashSeeds
{
    public static readonly IReadOnlyList<ulong> Failed =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "crash-seeds.txt"))
            .Select(line => line.Split('#')[0].Trim())
            .Where(line => line.Length > 0)
            .Select(line => ulong.Parse(line, CultureInfo.InvariantCulture)),
    ];
}
