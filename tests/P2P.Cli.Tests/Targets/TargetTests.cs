using System.Text;
using P2P.Cli.Configuration;
using P2P.Cli.Targets;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.Targets;

[TestClass]
public sealed class TargetTests
{
    [TestMethod]
    public void Fetch_writes_where_the_documentation_says()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["existing"]);
        File.WriteAllText(folder["file"], "");
        string Resolve(string? output) => FetchTarget.Resolve(output, "film.mkv", folder.Path);

        Assert.AreEqual(folder["film.mkv"], Resolve(null));
        Assert.AreEqual(folder["existing", "film.mkv"], Resolve("existing"));
        Assert.AreEqual(folder["existing", "film.mkv"], Resolve("existing/"));
        Assert.AreEqual(folder["existing", "film.mkv"], Resolve(folder["existing"]));
        Assert.AreEqual(folder["film.mkv"], Resolve("."));
        Assert.AreEqual(folder["other"], Resolve("other"));
        Assert.AreEqual(folder["file"], Resolve("file"));
        Assert.AreEqual(folder["existing", "other"], Resolve("existing/other"));
        Assert.IsFalse(Directory.Exists(folder["made"]));
        Assert.AreEqual(folder["made", "film.mkv"], Resolve("made/"));
        Assert.IsTrue(Directory.Exists(folder["made"]));
        StringAssert.Contains(Assert.ThrowsExactly<UsageException>(() => Resolve("missing/other")).Message, folder["missing"]);
        Assert.ThrowsExactly<UsageException>(() => Resolve("file/"));
    }

    [TestMethod]
    [DataRow("film.mkv", "film.mkv")]
    [DataRow("a b", "a b")]
    [DataRow("-x", "-x")]
    [DataRow("@x", "@x")]
    [DataRow("Übung.txt", "Übung.txt")]
    [DataRow("../../etc/passwd", ".._.._etc_passwd")]
    [DataRow("/etc/passwd", "_etc_passwd")]
    [DataRow("a\0b\nc\u007fd", "a_b_c_d")]
    [DataRow("..", "fallback")]
    [DataRow(".", "fallback")]
    [DataRow("", "fallback")]
    [DataRow(null, "fallback")]
    [DataRow(".hidden", ".hidden")]
    [DataRow(@"a\b:c", @"a\b:c")]
    public void A_name_in_a_link_becomes_one_file_name(string? claimed, string name) => Assert.AreEqual(name, SafeFileName.Of(claimed, "fallback", HostSystem.Linux));

    [TestMethod]
    [DataRow(@"..\..\x", ".._.._x")]
    [DataRow("C:evil", "C_evil")]
    [DataRow("con", "_con")]
    [DataRow("nul.txt", "_nul.txt")]
    [DataRow("COM1.log", "_COM1.log")]
    [DataRow("name. . ", "name")]
    [DataRow("...", "fallback")]
    [DataRow("a<b>|?*\"", "a_b_____")]
    [DataRow("common", "common")]
    public void Windows_has_more_that_a_name_cannot_be(string claimed, string name) => Assert.AreEqual(name, SafeFileName.Of(claimed, "fallback", HostSystem.Windows));

    [TestMethod]
    [DataRow("a", 255)]
    [DataRow("ü", 200)]
    [DataRow("𝄞", 100)]
    public void A_long_name_is_cut_between_characters_and_keeps_its_extension(string letter, int count)
    {
        string name = SafeFileName.Of(string.Concat(Enumerable.Repeat(letter, count)) + ".mkv", "fallback", HostSystem.Linux);
        Assert.IsLessThanOrEqualTo(255, Encoding.UTF8.GetByteCount(name));
        Assert.IsGreaterThan(248, Encoding.UTF8.GetByteCount(name));
        StringAssert.EndsWith(name, letter + ".mkv");
    }

    [TestMethod]
    public void A_name_of_255_bytes_stays() => Assert.AreEqual(new string('a', 255), SafeFileName.Of(new string('a', 255), "fallback", HostSystem.Linux));

    [TestMethod]
    [DataRow("/srv/here/film.mkv", "./film.mkv")]
    [DataRow("/srv/here/in/film.mkv", "./in/film.mkv")]
    [DataRow("/home/ada/film.mkv", "~/film.mkv")]
    [DataRow("/home/adam/film.mkv", "/home/adam/film.mkv")]
    [DataRow("/srv/hereafter", "/srv/hereafter")]
    public void A_path_is_shown_as_a_person_would_write_it(string path, string shown) => Assert.AreEqual(shown, FetchTarget.Display(path, "/srv/here", "/home/ada"));
}
