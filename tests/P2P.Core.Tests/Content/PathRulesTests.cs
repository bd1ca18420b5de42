using System.Text;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Every system's rules, tested on each.</summary>
[TestClass]
public sealed class PathRulesTests
{
    [TestMethod]
    [DataRow("")]
    [DataRow(".")]
    [DataRow("..")]
    [DataRow("a/b")]
    [DataRow("/etc/passwd")]
    [DataRow("../up")]
    [DataRow("a\0b")]
    public void Names_that_lead_elsewhere_are_refused_on_every_system(string name)
    {
        foreach (TargetSystem system in Enum.GetValues<TargetSystem>())
        {
            P2PException error = Assert.ThrowsExactly<P2PException>(() => PathRules.ToFileName(Encoding.UTF8.GetBytes(name), system));
            Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
        }
    }

    [TestMethod]
    [DataRow("a b")]
    [DataRow("-rf")]
    [DataRow(".hidden")]
    [DataRow("@x")]
    [DataRow("back\\slash")]
    [DataRow("C:")]
    [DataRow("CON")]
    [DataRow("trailing. ")]
    [DataRow("caf\u00e9")]
    [DataRow("cafe\u0301")]
    [DataRow("\u202e.gpj")]
    [DataRow("line\nbreak")]
    public void Linux_keeps_every_legal_name(string name) => Assert.AreEqual(name, PathRules.ToFileName(Encoding.UTF8.GetBytes(name), TargetSystem.Linux));

    [TestMethod]
    [DataRow("C:", "C_")]
    [DataRow("a\\b", "a_b")]
    [DataRow("..\\..\\x", ".._.._x")]
    [DataRow("what?.txt", "what_.txt")]
    [DataRow("name.", "name_")]
    [DataRow(".. ", "___")]
    [DataRow("CON", "_CON")]
    [DataRow("con.txt", "_con.txt")]
    [DataRow("com1 .log", "_com1 .log")]
    [DataRow("LPT\u00b9", "_LPT\u00b9")]
    [DataRow("CONSOLE", "CONSOLE")]
    [DataRow("a\u0007b", "a_b")]
    [DataRow("file.txt:stream:$DATA", "file.txt_stream_$DATA")]
    [DataRow("::$INDEX_ALLOCATION", "__$INDEX_ALLOCATION")]
    [DataRow("aux", "_aux")]
    [DataRow("Com0", "_Com0")]
    [DataRow("NUL.tar.gz", "_NUL.tar.gz")]
    [DataRow("conin$", "_conin$")]
    [DataRow("  lead", "  lead")]
    [DataRow("dots...", "dots___")]
    [DataRow("COM10", "COM10")]
    [DataRow("\\\\?\\C", "____C")]
    public void Windows_gets_names_that_it_can_hold(string name, string expected) =>
        Assert.AreEqual(expected, PathRules.ToFileName(Encoding.UTF8.GetBytes(name), TargetSystem.Windows));

    [TestMethod]
    public void Names_that_are_too_long_or_no_text_are_marked_with_their_hash()
    {
        byte[] longName = Encoding.UTF8.GetBytes(new string('\u00e9', 200) + ".txt");
        string mapped = PathRules.ToFileName(longName, TargetSystem.Linux);
        Assert.IsLessThanOrEqualTo(255, Encoding.UTF8.GetByteCount(mapped));
        Assert.EndsWith(".txt", mapped);
        string first = PathRules.ToFileName([0x61, 0xff], TargetSystem.Linux), second = PathRules.ToFileName([0x61, 0xfe], TargetSystem.Linux);
        Assert.AreNotEqual(first, second);
    }

    [TestMethod]
    public void A_name_of_255_bytes_stays() =>
        Assert.AreEqual(new string('x', 255), PathRules.ToFileName(Encoding.UTF8.GetBytes(new string('x', 255)), TargetSystem.Linux));

    [TestMethod]
    public void Case_collides_only_where_the_system_folds_it()
    {
        bool Same(string a, string b, TargetSystem system) => PathRules.CollisionKey(a, system) == PathRules.CollisionKey(b, system);
        Assert.IsFalse(Same("README", "readme", TargetSystem.Linux));
        Assert.IsTrue(Same("README", "readme", TargetSystem.Windows));
        Assert.IsTrue(Same("README", "readme", TargetSystem.MacOS));
        Assert.IsFalse(Same("caf\u00e9", "cafe\u0301", TargetSystem.Linux));
        Assert.IsFalse(Same("caf\u00e9", "cafe\u0301", TargetSystem.Windows));
        Assert.IsTrue(Same("CAF\u00c9", "cafe\u0301", TargetSystem.MacOS));
        Assert.IsTrue(Same("\u00dcBUNG", "\u00fcbung", TargetSystem.Windows));
    }

    [TestMethod]
    public void Lengths_are_bytes_or_units_as_the_system_counts_them()
    {
        byte[] name = Encoding.UTF8.GetBytes(new string('\u00e9', 255));
        Assert.AreEqual(new string('\u00e9', 255), PathRules.ToFileName(name, TargetSystem.Windows));
        foreach (TargetSystem system in new[] { TargetSystem.Linux, TargetSystem.MacOS })
            Assert.IsLessThanOrEqualTo(255, Encoding.UTF8.GetByteCount(PathRules.ToFileName(name, system)));
        byte[] pairs = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("\U0001D11E", 128)));
        Assert.IsLessThanOrEqualTo(255, PathRules.ToFileName(pairs, TargetSystem.Windows).Length);
    }

    [TestMethod]
    [DataRow(0x4D44, TargetSystem.Windows)]
    [DataRow(0x2011BAB0, TargetSystem.Windows)]
    [DataRow(unchecked((int)0xFF534D42), TargetSystem.Windows)]
    [DataRow(0x482B, TargetSystem.MacOS)]
    [DataRow(0xEF53, TargetSystem.Linux)]
    [DataRow(0x58465342, TargetSystem.Linux)]
    public void A_disk_of_another_system_keeps_its_rules_on_Linux(int type, object system) => Assert.AreEqual((TargetSystem)system, TargetSystems.OfLinuxType(type));

    [TestMethod]
    public void A_name_in_thousands_of_spellings_costs_no_more_for_each_of_them()
    {
        var mapper = new PathMapper(TargetSystem.Windows);
        mapper.Enter([], "");
        var places = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int spelling = 0; spelling < 1 << 14; spelling++)
        {
            string name = string.Concat("abcdefghijklmn".Select((letter, i) => (spelling & (1 << i)) == 0 ? letter : char.ToUpperInvariant(letter)));
            Assert.IsTrue(mapper.TryPlace(Encoding.UTF8.GetBytes(name), out string local, out RenamedEntry? renamed));
            Assert.IsTrue(places.Add(local), local);
            Assert.AreEqual(spelling != 0, renamed is not null);
        }

        Assert.IsFalse(mapper.TryPlace("abcdefghijklmn"u8, out _, out _), "the same spelling again");
    }

    [TestMethod]
    [DataRow("film.mkv", 1, "film (1).mkv")]
    [DataRow("film", 2, "film (2)")]
    [DataRow(".bashrc", 1, ".bashrc (1)")]
    [DataRow("a.tar.gz", 1, "a.tar (1).gz")]
    public void Other_names_keep_the_extension(string name, int number, string expected) =>
        Assert.AreEqual(expected, PathRules.Numbered(name, number, TargetSystem.Linux));

    [TestMethod]
    [DataRow("", "a", true)]
    [DataRow("", "a/../b", true)]
    [DataRow("x/y", "../../a", true)]
    [DataRow("x/y", "../../../a", false)]
    [DataRow("", "..", false)]
    [DataRow("", "a/../../b", false)]
    [DataRow("", "/etc/passwd", false)]
    [DataRow("", "", false)]
    [DataRow("", "link/inner", false)]
    [DataRow("", "link", true)]
    [DataRow("x", "../link/../../out", false)]
    public void Links_stay_inside_and_pass_no_other_link(string folder, string target, bool isInside) =>
        Assert.AreEqual(isInside, PathRules.LinkStaysInside(folder, target, path => path == "link"));

    [TestMethod]
    public void A_name_as_long_as_a_block_is_shortened_without_work_for_each_character()
    {
        byte[] name = Encoding.UTF8.GetBytes(new string('x', 2_000_000) + ".mkv");
        foreach (TargetSystem system in Enum.GetValues<TargetSystem>())
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            string shortened = PathRules.ToFileName(name, system);
            Assert.IsLessThan(64L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.AreEqual(PathRules.MaxNameLength, shortened.Length);
            Assert.EndsWith(".mkv", shortened);
        }
    }
}
