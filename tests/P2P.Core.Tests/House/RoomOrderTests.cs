using System.Text.RegularExpressions;

namespace P2P.Core.Tests.House;

/// <summary>
/// Goal: no arrow between rooms points up, and there is no cycle. Method: read the sources for what names another room: usings, qualified names,
/// and the public types that live in a room while their namespace is P2P.Core.
/// </summary>
[TestClass]
public sealed partial class RoomOrderTests
{
    // every room with its wing and its height in it; the ground is below both wings, the landing above both
    private static readonly Dictionary<string, (Wing Wing, int Height)> Rooms = new(StringComparer.Ordinal)
    {
        ["Primitives"] = (Wing.Ground, 0),
        ["Cryptography"] = (Wing.Ground, 0),
        ["Diagnostics"] = (Wing.Ground, 0),
        ["Identity"] = (Wing.Ground, 1),
        ["Addresses"] = (Wing.Ground, 2),
        ["Transport"] = (Wing.West, 1),
        ["SecureChannel"] = (Wing.West, 2),
        ["Muxer"] = (Wing.West, 3),
        ["Connections"] = (Wing.West, 4),
        ["Protocols"] = (Wing.West, 5),
        ["Dht"] = (Wing.West, 6),
        ["Nat"] = (Wing.West, 7),
        ["Discovery"] = (Wing.West, 8),
        ["Blocks"] = (Wing.East, 1),
        ["Store"] = (Wing.East, 2),
        ["Content"] = (Wing.East, 3),
        ["Exchange"] = (Wing.Landing, 1),
        ["Replication"] = (Wing.Landing, 2),
        ["Catalogue"] = (Wing.Landing, 3),
        ["Node"] = (Wing.Landing, 4),
    };

    private enum Wing
    {
        Ground,
        West,
        East,
        Landing,
    }

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public void Every_folder_of_the_library_is_a_room_of_the_house() =>
        CollectionAssert.IsSubsetOf(SourceTree.Rooms.ToArray(), Rooms.Keys);

    [TestMethod]
    public void Every_namespace_is_that_of_its_folder_or_of_the_public_API()
    {
        foreach (string room in SourceTree.Rooms)
        {
            foreach (string file in SourceTree.Files(room))
            {
                string name = NamespacePattern().Match(SourceTree.Code(file)).Groups["name"].Value;
                string[] allowed = ["P2P.Core", $"P2P.Core.{room}", "Microsoft.Extensions.DependencyInjection"];
                Assert.Contains(name, allowed, file);
            }
        }
    }

    [TestMethod]
    public void No_arrow_between_rooms_points_up_and_there_is_no_cycle()
    {
        Dictionary<string, Dictionary<string, int>> arrows = SourceTree.Rooms.ToDictionary(room => room, ArrowsFrom, StringComparer.Ordinal);
        List<string> faults = [];
        foreach ((string room, Dictionary<string, int> targets) in arrows.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            TestContext.WriteLine($"{room} -> {string.Join(", ", targets.OrderBy(target => target.Key, StringComparer.Ordinal).Select(target => $"{target.Key} ({target.Value})"))}");
            faults.AddRange(targets.Keys.Where(target => !MayUse(room, target)).Select(target => $"{room} may not use {target}"));
        }

        faults.AddRange(arrows.Keys.Where(room => Reaches(arrows, room, room)).Select(room => $"{room} is in a cycle"));
        Assert.IsEmpty(faults, string.Join("; ", faults));
    }

    [TestMethod]
    [DataRow("Muxer", "SecureChannel", true)]
    [DataRow("SecureChannel", "Muxer", false)]
    [DataRow("Content", "Connections", false)]
    [DataRow("Connections", "Blocks", false)]
    [DataRow("Exchange", "Store", true)]
    [DataRow("Exchange", "Node", false)]
    [DataRow("Primitives", "Diagnostics", true)]
    [DataRow("Identity", "Addresses", false)]
    public void The_order_is_that_of_the_house(string from, string to, bool allowed) => Assert.AreEqual(allowed, MayUse(from, to));

    private static bool MayUse(string from, string to)
    {
        ((Wing fromWing, int fromHeight), (Wing toWing, int toHeight)) = (Rooms[from], Rooms[to]);
        return fromWing == toWing
            ? toHeight < fromHeight || (fromWing == Wing.Ground && toHeight == fromHeight)
            : toWing == Wing.Ground || (fromWing == Wing.Landing && toWing != Wing.Landing);
    }

    private static Dictionary<string, int> ArrowsFrom(string room)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string file in SourceTree.Files(room))
        {
            string code = SourceTree.Code(file);
            IEnumerable<string> named = QualifiedPattern().Matches(code).Select(match => match.Groups["room"].Value).Where(Rooms.ContainsKey)
                .Concat(TypesByRoom.Value.Where(entry => entry.Room != room && entry.Pattern.IsMatch(code)).Select(entry => entry.Room));
            foreach (string target in named.Where(target => target != room))
            {
                counts[target] = counts.GetValueOrDefault(target) + 1;
            }
        }

        return counts;
    }

    private static bool Reaches(Dictionary<string, Dictionary<string, int>> arrows, string from, string to)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(arrows[from].Keys);
        while (open.TryPop(out string? room))
        {
            if (room == to)
            {
                return true;
            }

            if (seen.Add(room) && arrows.TryGetValue(room, out Dictionary<string, int>? next))
            {
                foreach (string target in next.Keys)
                {
                    open.Push(target);
                }
            }
        }

        return false;
    }

    // Types by their bare name: those in the namespace P2P.Core, wherever they lie, and any type behind the name of its room ("Store.BlockStore").
    // The plain data of the node's API (records and enumerations) is vocabulary that every room may speak.
    private static readonly Lazy<List<(string Room, Regex Pattern)>> TypesByRoom = new(() =>
    {
        List<(string, Regex)> result = [];
        foreach (string room in SourceTree.Rooms)
        {
            foreach (string code in SourceTree.Files(room).Select(SourceTree.Code))
            {
                bool isPublicApi = NamespacePattern().Match(code).Groups["name"].Value == "P2P.Core";
                foreach (Match type in TypePattern().Matches(code))
                {
                    string name = type.Groups["name"].Value;
                    bool isVocabulary = room == "Node" && type.Groups["kind"].Value != "class";
                    string pattern = isPublicApi && !isVocabulary ? $@"(?<![\w.]){name}\b(?!\s*[=,}}])" : $@"(?<![\w.]){room}\.{name}\b";
                    result.Add((room, new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5))));
                }
            }
        }

        return result;
    });

    [GeneratedRegex(@"\bnamespace\s+(?<name>[\w.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex NamespacePattern();

    [GeneratedRegex(@"(?<!namespace\s+)\bP2P\.Core\.(?<room>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex QualifiedPattern();

    [GeneratedRegex(@"^(public|internal)\s[\w ]*\b(?<kind>class|record struct|record|struct|enum|interface)\s+(?<name>\w+)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex TypePattern();
}
