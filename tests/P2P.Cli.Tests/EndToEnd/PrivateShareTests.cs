using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Private shares and shares for named peers, by the command line.</summary>
[TestClass]
public sealed class PrivateShareTests : EndToEndTest
{
    private static readonly string[] Listen = ["--listen", "/ip4/127.0.0.1/tcp/0"];

    [TestMethod]
    public async Task A_private_file_is_fetched_under_the_name_inside()
    {
        string film = Folder.File("film.bin", 3_000_000);
        (ToolProcess sharer, string link) = await SharePrivatelyAsync("film.bin");
        JsonElement shared = sharer.Events.Single(one => one.GetProperty("event").GetString() == "shared");
        Assert.IsTrue(shared.GetProperty("private").GetBoolean());
        StringAssert.Contains(link, "/~private#");
        Assert.IsFalse(link.Contains("film", StringComparison.Ordinal));

        Directory.CreateDirectory(Folder["OUT"]);
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT/", "--verbose", "--log", "fetch.log");
        await fetch.ExpectAsync(0);
        Assert.AreEqual(Folder["OUT", "film.bin"], Done(fetch).GetProperty("path").GetString());
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(film), await File.ReadAllBytesAsync(Folder["OUT", "film.bin"]));
        string key = link[(link.IndexOf('#', StringComparison.Ordinal) + 1)..][..43];
        string[] log = await File.ReadAllLinesAsync(Folder["fetch.log"]);
        Assert.IsGreaterThan(5, log.Length);
        foreach (string line in log.Concat(fetch.Output.Split('\n'))
            .Concat(fetch.Error.Split('\n')).Concat(sharer.Error.Split('\n')))
            Assert.IsFalse(line.Contains(key, StringComparison.Ordinal), line);

        ToolProcess again = await FetchAsync(link, "-o", "OUT/");
        await again.ExpectAsync(0);
        Assert.AreEqual(3_000_000, Done(again).GetProperty("bytes_reused").GetInt64());
    }

    [TestMethod]
    public async Task Ls_cat_and_paths_begin_inside_the_name()
    {
        Directory.CreateDirectory(Folder["t", "d"]);
        await File.WriteAllTextAsync(Folder["t", "d", "a.txt"], "inside");
        Folder.File("one.txt", 10);
        (_, string link) = await SharePrivatelyAsync("t");
        ToolProcess ls = await RunAsync("ls", link, "--data", "B", "--json");
        await ls.ExpectAsync(0);
        CollectionAssert.AreEquivalent(new[] { "d", "d/a.txt" }, ls.Events.Where(one => one.GetProperty("event").GetString() == "entry").Select(one => one.GetProperty("path").GetString()).ToArray());
        ToolProcess cat = await RunAsync("cat", link, "d/a.txt", "--range", "2-3", "--data", "B");
        await cat.ExpectAsync(0);
        Assert.AreEqual("si", cat.Output);
        ToolProcess part = await FetchAsync(link, "d/a.txt", "-o", "x");
        await part.ExpectAsync(0);
        Assert.AreEqual("inside", await File.ReadAllTextAsync(Folder["x"]));
        ToolProcess whole = await RunAsync("fetch", link, "--data", "B");
        await whole.ExpectAsync(0);
        Assert.AreEqual("inside", await File.ReadAllTextAsync(Folder["t", "d", "a.txt"]), "it was there already");
        StringAssert.Contains(whole.Error, "already here");
    }

    [TestMethod]
    public async Task A_link_without_its_key_is_refused_at_once_and_a_wrong_key_as_content_that_does_not_verify()
    {
        Folder.File("f", 5000);
        (_, string link) = await SharePrivatelyAsync("f");
        int fragment = link.IndexOf('#', StringComparison.Ordinal);
        ToolProcess lost = await FetchAsync(link[..fragment], "-o", "x");
        await lost.ExpectAsync(2);
        AssertError("usage", lost);
        StringAssert.Contains(lost.Events[^1].GetProperty("message").GetString(), "lost its key (the part after #)");
        Assert.IsFalse(Directory.Exists(Folder["B"]), "no node was started for it");

        char[] changed = link.ToCharArray();
        changed[fragment + 20] = changed[fragment + 20] == 'A' ? 'B' : 'A';
        foreach (string[] command in (string[][])[["fetch", new string(changed), "-o", "x"], ["fetch", new string(changed)], ["ls", new string(changed)]])
        {
            ToolProcess wrong = await RunAsync([.. command, "--data", "B", "--json"]);
            await wrong.ExpectAsync(4);
            AssertError("integrity", wrong);
        }

        Assert.IsFalse(File.Exists(Folder["x"]));
    }

    [TestMethod]
    public async Task The_same_command_serves_the_same_link_again_until_unshare()
    {
        Folder.File("f", 5000);
        Folder.File("g", 6000);
        (ToolProcess first, string link) = await SharePrivatelyAsync("f", "g");
        first.Signal(ToolProcess.Interrupt);
        await first.ExpectAsync(0);
        ToolProcess shares = await RunAsync(["shares", "--json", "--data", "A", .. Listen]);
        await shares.ExpectAsync(0);
        Assert.AreEqual(link, shares.Events.Single().GetProperty("link").GetString());
        (ToolProcess second, string again) = await SharePrivatelyAsync("f", "g");
        Assert.AreEqual(link, again);
        second.Signal(ToolProcess.Interrupt);
        await second.ExpectAsync(0);
        await (await RunAsync("unshare", link, "--data", "A")).ExpectAsync(0);
        (_, string other) = await SharePrivatelyAsync("f", "g");
        Assert.AreNotEqual(link, other);
    }

    [TestMethod]
    public async Task A_person_is_told_who_can_read_it_and_who_is_given_it()
    {
        Folder.File("f", 5000);
        ToolProcess id = await RunAsync("id", "--data", "B", "--json");
        string friend = id.Events[^1].GetProperty("peer_id").GetString()!;
        ToolProcess sharer = Start(["share", "f", "--private", "--allow", friend, "--data", "A", .. Listen]);
        string link = await sharer.LineAsync(line => line.StartsWith("p2p://", StringComparison.Ordinal), "the link");
        StringAssert.Contains(link, "/~private#");
        ToolProcess stranger = await RunAsync("fetch", link, "--data", "C", "--json", "-o", "x", "--timeout", "2s");
        await stranger.ExpectAsync(3);
        AssertError("not_found", stranger);
        ToolProcess fetch = await FetchAsync(link, "-o", "x");
        await fetch.ExpectAsync(0);
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        StringAssert.Contains(sharer.Error, "only by who has the link");
        StringAssert.Contains(sharer.Error, friend);

        ToolProcess wrong = await RunAsync("share", "f", "--allow", "bob", "--data", "A", "--json");
        await wrong.ExpectAsync(2);
        AssertError("usage", wrong);
    }

    [TestMethod]
    public async Task A_dry_run_of_a_private_share_has_no_content_id()
    {
        Folder.File("f", 5000);
        ToolProcess plan = await RunAsync("share", "f", "--private", "--dry-run", "--json", "--data", "A");
        await plan.ExpectAsync(0);
        Assert.AreEqual(JsonValueKind.Null, plan.Events[^1].GetProperty("cid").ValueKind);
        Assert.AreEqual(2, plan.Events[^1].GetProperty("blocks").GetInt32(), "the file and the root that names it");
        Assert.IsFalse(Directory.Exists(Folder["A"]));
    }

    [TestMethod]
    public async Task An_interrupted_private_fetch_goes_on_from_what_is_there()
    {
        const int Rate = 20 << 20;
        string film = Folder.File("film.bin", 24 << 20);
        (ToolProcess sharer, string direct) = await SharePrivatelyAsync("film.bin");
        JsonElement ready = sharer.Events[0];
        string[] address = ready.GetProperty("addresses")[0].GetString()!.Split('/');
        await using var line = new SlowLine(int.Parse(address[4], System.Globalization.CultureInfo.InvariantCulture), Rate);
        string relayed = line.Link(ready, sharer.Events.Single(one => one.GetProperty("event").GetString() == "shared"));
        string link = relayed.Replace("/film.bin?", "/~private?", StringComparison.Ordinal) + "#" + KeyOnly(direct);

        ToolProcess fetch = Start("fetch", link, "-o", "copy.bin", "--data", "B", "--json");
        while ((await fetch.EventAsync("progress")).GetProperty("bytes").GetInt64() < 8 << 20)
        {
            // until a third is there
        }

        fetch.Signal(ToolProcess.Interrupt);
        await fetch.ExpectAsync(130);
        Assert.IsFalse(File.Exists(Folder["copy.bin"]));
        ToolProcess again = await FetchAsync(link, "-o", "copy.bin");
        await again.ExpectAsync(0);
        Assert.IsGreaterThan(5L << 20, Done(again).GetProperty("bytes_reused").GetInt64());
        Trees.AssertEqual(film, Folder["copy.bin"]);
    }

    // the hints of a link with its key alone: the first 34 bytes are field 1 and the key
    private static string KeyOnly(string link)
    {
        const int KeyField = 34;
        byte[] hints = System.Buffers.Text.Base64Url.DecodeFromChars(link.AsSpan(link.IndexOf('#', StringComparison.Ordinal) + 1));
        return System.Buffers.Text.Base64Url.EncodeToString(hints.AsSpan(0, KeyField));
    }

    private async Task<(ToolProcess Sharer, string Link)> SharePrivatelyAsync(params string[] paths)
    {
        ToolProcess sharer = Start(["share", "--private", "--data", "A", .. Listen, "--json", "--", .. paths]);
        JsonElement shared = await sharer.EventAsync("shared");
        return (sharer, shared.GetProperty("link").GetString()!);
    }
}
