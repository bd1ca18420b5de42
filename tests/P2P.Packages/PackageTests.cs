using System.IO.Compression;
using System.Xml.Linq;

namespace P2P.Packages;

/// <summary>Goal: a package holds what its users need and no more. Method: the packed files.</summary>
[TestClass]
public sealed class PackageTests
{
    private static readonly string[] Ids = ["P2P.Core", "P2P.Testing", "P2P.Cli"];

    [TestMethod]
    public void Each_package_has_licence_page_picture_and_symbols_and_all_have_one_version()
    {
        using Feed feed = Feed.Open();
        foreach (string id in Ids)
        {
            using ZipArchive package = ZipFile.OpenRead(feed.PathOf(id));
            using Stream stream = package.Entries.Single(entry => entry.FullName == $"{id}.nuspec").Open();
            XElement metadata = XDocument.Load(stream).Root!.Elements().Single(static one => one.Name.LocalName == "metadata");
            string Of(string name) => metadata.Elements().Single(one => one.Name.LocalName == name).Value;
            Assert.AreEqual((id, Feed.Version, "MIT", "README.md", "icon.png"), (Of("id"), Of("version"), Of("license"), Of("readme"), Of("icon")));
            Assert.IsFalse(string.IsNullOrWhiteSpace(Of("description")) || string.IsNullOrWhiteSpace(Of("tags")));
            Assert.IsNotNull(package.GetEntry("README.md"));
            Assert.IsNotNull(package.GetEntry("icon.png"));
            Assert.IsTrue(File.Exists(feed.PathOf(id, "snupkg")));
        }
    }

    [TestMethod]
    public void The_libraries_have_their_documentation()
    {
        using Feed feed = Feed.Open();
        foreach (string id in Ids.Take(2))
        {
            using ZipArchive package = ZipFile.OpenRead(feed.PathOf(id));
            CollectionAssert.AreEquivalent(
                new[] { $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml" }, package.Entries.Select(static entry => entry.FullName).Where(static name => name.StartsWith("lib/", StringComparison.Ordinal)).ToArray());
        }
    }

    [TestMethod]
    public void The_tool_is_small_and_has_the_natives_of_the_systems_that_it_runs_on_and_of_no_others()
    {
        using Feed feed = Feed.Open();
        long bytes = new FileInfo(feed.PathOf("P2P.Cli")).Length;
        Assert.IsLessThanOrEqualTo(15_000_000, bytes);
        using ZipArchive package = ZipFile.OpenRead(feed.PathOf("P2P.Cli"));
        string[] natives = [.. package.Entries.Select(static entry => entry.FullName.Split('/')).Where(static parts => parts.Contains("native")).Select(static parts => parts[^3]).Order()];
        CollectionAssert.AreEqual(new[] { "linux-arm64", "linux-musl-arm64", "linux-musl-x64", "linux-x64", "osx-arm64", "osx-x64", "win-arm64", "win-x64" }, natives);
        Assert.IsFalse(package.Entries.Any(static entry => entry.Name == "System.Drawing.Common.dll"), "nothing draws");
    }
}
