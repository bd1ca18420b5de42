using System.Text;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Random trees of nasty names under the rules of every system: each entry is at its place or said to be renamed, and nothing is anywhere else.</summary>
[TestClass]
public sealed class NastyTreeTests
{
    private static readonly string[] Pieces =
    [
        "a", "A", "b", "\u00e4", "\u00c4", "a\u0308", "\u00df", "SS", "ss", "\ufb01", "fi", "\u0130", "i", "I", "\u0131", "\uac00", "\u1100\u1161", "con", "CON", "aux", "nul", "COM1", "LPT\u00b9",
        ".", "..", " ", "x.", ".x", ":", "*", "?", "\"", "<", ">", "|", "\\", "..\\..\\", "C:", "~", "$", "\n", "\u001b[31m", "\u202e", "\u200d", "\ufeff", "\u007f", "(1)", " (1)", ".txt", ".tar.gz", "\U0001F3AC",
    ];

    private static readonly System.Buffers.SearchValues<char> ReservedOnWindows = System.Buffers.SearchValues.Create("<>:\"/\\|?*");

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    public async Task Every_entry_is_at_its_place_or_said_to_be_renamed(int seed)
    {
        foreach (TargetSystem system in Enum.GetValues<TargetSystem>())
        {
            using var folder = new TempFolder();
            await using var blocks = new MemoryBlocks();
            var tree = new Tree(new Random(seed), blocks);
            Cid root = tree.Folder("", depth: 0);
            Directory.CreateDirectory(folder["in"]);
            TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["in/t"], new TreeFetchOptions { System = system, Workers = 2 });

            string at = $"seed {seed}, {system}";
            TreeFetcherTests.AssertOnly(folder, "in");
            Assert.AreEqual(folder["in/t"], Directory.GetFileSystemEntries(folder["in"]).Single(), at);
            Assert.AreEqual(result.Renamed.Count, result.RenamedCount, at);
            var renamed = result.Renamed.ToDictionary(entry => entry.From, entry => entry.To);
            foreach ((string path, byte[] content) in tree.Files)
            {
                string place = PlaceOf(path, renamed);
                Assert.IsTrue(File.Exists(folder["in/t/" + place]), $"{at}: '{path}' should be at '{place}'");
                CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(folder["in/t/" + place]), $"{at}: '{path}'");
            }

            foreach (string path in tree.Folders)
                Assert.IsTrue(Directory.Exists(folder["in/t/" + PlaceOf(path, renamed)]), $"{at}: '{path}'");
            string[] found = Directory.GetFileSystemEntries(folder["in/t"], "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });
            Assert.HasCount(tree.Files.Count + tree.Folders.Count, found, at);
            AssertLegal(found, system, at);
            if (system == TargetSystem.Linux)
                Assert.IsEmpty(result.Renamed, "Linux holds every name that is text");
            TreeFetchResult again = await TreeFetcherTests.FetchAsync(blocks, root, folder["in/t"], new TreeFetchOptions { System = system, Workers = 2 });
            Assert.IsTrue(again.AlreadyThere, at);
        }
    }

    private static string PlaceOf(string path, Dictionary<string, string> renamed)
    {
        var place = new List<string>();
        string inside = "";
        foreach (string segment in path.Split('/'))
        {
            inside = inside.Length == 0 ? segment : $"{inside}/{segment}";
            place.Add(renamed.GetValueOrDefault(inside, segment));
        }

        return string.Join('/', place);
    }

    private static void AssertLegal(string[] places, TargetSystem system, string at)
    {
        foreach (IGrouping<string?, string> names in places.GroupBy(place => Path.GetDirectoryName(place), place => Path.GetFileName(place)))
        {
            foreach (string name in names)
            {
                Assert.IsLessThanOrEqualTo(255, system == TargetSystem.Windows ? name.Length : Encoding.UTF8.GetByteCount(name), at);
                if (system == TargetSystem.Windows)
                    Assert.IsFalse(name.AsSpan().ContainsAny(ReservedOnWindows) || name[^1] is '.' or ' ' || name.Any(c => c < ' '), $"{at}: '{name}'");
            }

            Func<string, string> key = system switch { TargetSystem.Linux => name => name, TargetSystem.MacOS => UnicodeFolding.Fold, _ => name => name.ToUpperInvariant() };
            Assert.AreEqual(names.Count(), names.Select(key).Distinct(StringComparer.Ordinal).Count(), at);
        }
    }

    private sealed class Tree(Random random, MemoryBlocks blocks)
    {
        private int _number;

        public Dictionary<string, byte[]> Files { get; } = [];

        public List<string> Folders { get; } = [];

        public Cid Folder(string path, int depth)
        {
            var entries = new List<(string Name, Cid Cid)>();
            var names = new HashSet<string>(StringComparer.Ordinal);
            for (int left = random.Next(10, 40); left > 0; left--)
            {
                string name = Name();
                if (!names.Add(name))
                    continue;
                string inside = path.Length == 0 ? name : $"{path}/{name}";
                if (depth < 3 && random.Next(6) == 0)
                {
                    Folders.Add(inside);
                    entries.Add((name, Folder(inside, depth + 1)));
                }
                else
                {
                    byte[] content = BitConverter.GetBytes(++_number);
                    Files[inside] = content;
                    entries.Add((name, blocks.AddRaw(content)));
                }
            }

            return blocks.AddNode(DagPbCodec.Encode(
                [.. entries.Select(entry => (Bytes: Encoding.UTF8.GetBytes(entry.Name), entry.Cid)).OrderBy(entry => Convert.ToHexString(entry.Bytes), StringComparer.Ordinal)
                    .Select(entry => new DagPbLink(entry.Cid, entry.Bytes, 4))],
                new UnixFsData(UnixFsType.Directory).Encode()));
        }

        private string Name()
        {
            string name = string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            if (random.Next(20) == 0)
                name += new string('\u00e9', 115 - (Encoding.UTF8.GetByteCount(name) / 2)); // the disk of the test counts bytes whatever the rules
            return name is "." or ".." ? "dots" : name;
        }
    }
}
