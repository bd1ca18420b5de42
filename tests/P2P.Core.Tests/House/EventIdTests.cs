using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Tests.House;

/// <summary>Goal: who filters logs by event id finds one meaning for each. Method: the attributes in the assembly against docs/REGISTRY.md.</summary>
[TestClass]
public sealed partial class EventIdTests
{
    private static readonly (string Room, int Id, string Name)[] Events =
    [
        .. from type in typeof(P2PNode).Assembly.GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let message = method.GetCustomAttribute<LoggerMessageAttribute>()
           where message is not null
           select (type.Namespace!.Split('.')[^1], message.EventId, $"{type.Name}.{method.Name}"),
    ];

    [TestMethod]
    public void Each_log_event_has_an_id_of_its_own()
    {
        string[] doubled = [.. Events.GroupBy(each => each.Id).Where(same => same.Count() > 1).Select(same => $"{same.Key}: {string.Join(", ", same.Select(each => each.Name))}")];
        Assert.IsEmpty(doubled, string.Join("; ", doubled));
        Assert.IsGreaterThan(50, Events.Length);
    }

    [TestMethod]
    public void Each_log_event_is_in_the_range_that_the_registry_gives_its_room()
    {
        var ranges = RangeRow().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "REGISTRY.md"))).ToDictionary(
            row => row.Groups["room"].Value,
            row => (First: Number(row.Groups["first"]), Last: Number(row.Groups["last"])));
        string[] outside = [.. Events.Where(each => !ranges.TryGetValue(each.Room, out (int First, int Last) range) || each.Id < range.First || each.Id > range.Last).Select(each => $"{each.Id} {each.Name}")];
        Assert.IsEmpty(outside, string.Join("; ", outside));
        CollectionAssert.AreEquivalent(Events.Select(each => each.Room).Distinct().ToArray(), ranges.Keys);
        (int First, int Last)[] sorted = [.. ranges.Values.Order()];
        for (int i = 1; i < sorted.Length; i++)
            Assert.IsGreaterThan(sorted[i - 1].Last, sorted[i].First, "ranges do not overlap");
    }

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| (?<room>\w+) \| (?<first>\d+)-(?<last>\d+) \| `\w+Log` \|\s*$", RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex RangeRow();
}
