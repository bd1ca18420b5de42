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
    [DataRow("/srv/here/film.mkv", "./film.mkv")]
    [DataRow("/srv/here/in/film.mkv", "./in/film.mkv")]
    [DataRow("/home/ada/film.mkv", "~/film.mkv")]
    [DataRow("/home/adam/film.mkv", "/home/adam/film.mkv")]
    [DataRow("/srv/hereafter", "/srv/hereafter")]
    public void A_path_is_shown_as_a_person_would_write_it(string path, string shown) => Assert.AreEqual(shown, FetchTarget.Display(path, "/srv/here", "/home/ada"));
}
