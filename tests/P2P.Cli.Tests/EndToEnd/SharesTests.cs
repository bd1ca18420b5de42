using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>What is shared, what is left out, what is listed and what ends: <c>share</c> with its options, <c>shares</c>, <c>unshare</c>.</summary>
[TestClass]
public sealed class SharesTests : EndToEndTest
{
    [TestMethod]
    public async Task A_dry_run_tells_what_a_share_with_the_same_options_shares_and_touches_no_data_folder()
    {
        MakeTree();
        ToolProcess plan = await RunAsync("share", "t", "--exclude", "**/*.tmp", "--exclude", "build", "--dry-run", "--json", "--data", "A");
        await plan.ExpectAsync(0);
        JsonElement last = plan.Events[^1];
        Assert.AreEqual("plan", last.GetProperty("event").GetString());
        Assert.AreEqual(2, last.GetProperty("files").GetInt32());
        Assert.AreEqual(3, last.GetProperty("excluded").GetInt32());
        CollectionAssert.AreEquivalent(new[] { "a.tmp", "sub/b.tmp", "build" }, last.GetProperty("excluded_paths").EnumerateArray().Select(path => path.GetString()).ToArray());
        Assert.IsFalse(Directory.Exists(Folder["A"]));

        ToolProcess sharer = Start("share", "t", "--exclude", "**/*.tmp", "--exclude", "build", "--json", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        JsonElement shared = await sharer.EventAsync("shared");
        Assert.AreEqual(last.GetProperty("cid").GetString(), shared.GetProperty("cid").GetString());
        (await FetchAsync(shared.GetProperty("link").GetString()!, "-o", "OUT")).Events[^1].GetProperty("files").GetInt32();
        CollectionAssert.AreEquivalent(
            new[] { "a.txt", "sub/b.txt" },
            Directory.EnumerateFiles(Folder["OUT"], "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder["OUT"], path)).ToArray());
    }

    [TestMethod]
    public async Task A_pattern_that_matches_nothing_or_is_none_shares_nothing()
    {
        MakeTree();
        ToolProcess typo = await RunAsync("share", "t", "--exclude", "biuld", "--json", "--data", "A");
        await typo.ExpectAsync(2);
        AssertError("usage", typo);
        StringAssert.Contains(typo.Events[^1].GetProperty("message").GetString(), "build");
        ToolProcess broken = await RunAsync("share", "t", "--exclude", "[a", "--json", "--data", "A");
        await broken.ExpectAsync(2);
        AssertError("usage", broken);
        ToolProcess none = await RunAsync("shares", "--json", "--data", "A");
        await none.ExpectAsync(0);
        Assert.IsEmpty(none.Events);
    }

    [TestMethod]
    public async Task Shares_lists_what_is_shared_with_links_and_what_changed_and_unshare_ends_it()
    {
        MakeTree();
        string film = Folder.File("film.bin", 3_000_000);
        (ToolProcess first, string link) = await ShareAsync("t");
        first.Signal(ToolProcess.Interrupt);
        await first.ExpectAsync(0);
        (ToolProcess second, _) = await ShareAsync("film.bin");
        ToolProcess beside = await RunAsync("shares", "--json", "--data", "A");
        await beside.ExpectAsync(0);
        Assert.HasCount(2, beside.Events, "it asks the node that runs");
        second.Signal(ToolProcess.Interrupt);
        await second.ExpectAsync(0);

        await File.WriteAllTextAsync(Folder["t", "a.txt"], "edited since");
        File.Delete(Folder["t", "sub", "b.txt"]);
        ToolProcess listed = await RunAsync("shares", "--json", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        await listed.ExpectAsync(0);
        JsonElement[] shares = [.. listed.Events.Select(one => one)];
        Assert.HasCount(2, shares);
        Assert.AreEqual(link, shares[0].GetProperty("link").GetString());
        Assert.AreEqual(Folder["t"], shares[0].GetProperty("paths")[0].GetString());
        Assert.AreEqual(2, shares[0].GetProperty("changed").GetInt32());
        CollectionAssert.AreEqual(
            new[] { $"{Folder["t", "a.txt"]} changed", $"{Folder["t", "sub", "b.txt"]} missing" },
            shares[0].GetProperty("changed_files").EnumerateArray().Select(file => $"{file.GetProperty("path")} {file.GetProperty("change")}").ToArray());
        Assert.AreEqual(0, shares[1].GetProperty("changed").GetInt32());

        ToolProcess person = await RunAsync("shares", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        await person.ExpectAsync(0);
        StringAssert.Contains(person.Output, "2 files changed");
        StringAssert.Contains(person.Output, link);

        ToolProcess wrong = await RunAsync("unshare", "film.bni", "--json", "--data", "A");
        await wrong.ExpectAsync(3);
        AssertError("not_found", wrong);
        StringAssert.Contains(wrong.Events[^1].GetProperty("message").GetString(), "film.bin");

        ToolProcess byLink = await RunAsync("unshare", link, "--json", "--data", "A");
        await byLink.ExpectAsync(0);
        Assert.AreEqual(Folder["t"], byLink.Events[^1].GetProperty("path").GetString());
        ToolProcess byPath = await RunAsync("unshare", "film.bin", "--data", "A");
        await byPath.ExpectAsync(0);
        StringAssert.Contains(byPath.Error, "cannot be called back");
        Assert.IsTrue(File.Exists(film));
        ToolProcess none = await RunAsync("shares", "--json", "--data", "A");
        await none.ExpectAsync(0);
        Assert.IsEmpty(none.Events);
    }

    [TestMethod]
    public async Task What_is_seeded_is_not_served_any_more_after_unshare()
    {
        (_, string link) = await ShareAsync(Folder.File("x", 5_000));
        ToolProcess seeder = Start("fetch", link, "-o", "OUT", "--seed", "--json", "--data", "B", "--listen", "/ip4/127.0.0.1/tcp/0");
        await seeder.EventAsync("done");
        seeder.Signal(ToolProcess.Interrupt);
        await seeder.ExpectAsync(0);
        ToolProcess first = await RunAsync("unshare", link, "--json", "--data", "B");
        await first.ExpectAsync(0);
        Assert.AreEqual("x", first.Events[^1].GetProperty("name").GetString());
        ToolProcess second = await RunAsync("unshare", link, "--json", "--data", "B");
        await second.ExpectAsync(3);
        Assert.IsTrue(File.Exists(Folder["OUT"]));
    }

    [TestMethod]
    public async Task A_folder_that_was_never_used_is_not_made_by_asking()
    {
        ToolProcess shares = await RunAsync("shares", "--data", "A");
        await shares.ExpectAsync(0);
        ToolProcess unshare = await RunAsync("unshare", "x", "--data", "A", "--json");
        await unshare.ExpectAsync(3);
        Assert.IsFalse(Directory.Exists(Folder["A"]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task What_cannot_be_read_fails_the_share_unless_it_may_be_skipped()
    {
        MakeTree();
        using (var touch = System.Diagnostics.Process.Start("sh", ["-c", "touch \"$1/$(printf 'bad\\377name')\"", "sh", Folder["t", "sub"]]))
            await touch.WaitForExitAsync();
        ToolProcess refused = await RunAsync("share", "t", "--json", "--data", "A");
        await refused.ExpectAsync(5);
        AssertError("permission", refused);
        StringAssert.Contains(refused.Events[^1].GetProperty("message").GetString(), "not valid UTF-8");

        ToolProcess plan = await RunAsync("share", "t", "--dry-run", "--json");
        await plan.ExpectAsync(0);
        Assert.AreEqual(1, plan.Events[^1].GetProperty("unreadable").GetArrayLength());

        ToolProcess sharer = Start("share", "t", "--skip-unreadable", "--json", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        JsonElement shared = await sharer.EventAsync("shared");
        Assert.AreEqual(plan.Events[^1].GetProperty("cid").GetString(), shared.GetProperty("cid").GetString());
        JsonElement warning = sharer.Events.Single(one => one.GetProperty("event").GetString() == "warning");
        Assert.AreEqual("unreadable", warning.GetProperty("code").GetString());
        StringAssert.Contains(warning.GetProperty("message").GetString(), "bad");
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        using var remove = System.Diagnostics.Process.Start("rm", ["-rf", Folder["t"]]); // a name that is no UTF-8 cannot be spelled here
        await remove.WaitForExitAsync();
    }

    [TestMethod]
    public async Task A_version_cut_by_content_tells_how_much_of_it_was_known()
    {
        byte[] content = await File.ReadAllBytesAsync(Folder.File("one", 8_000_000));
        await File.WriteAllBytesAsync(Folder["two"], [.. "inserted"u8, .. content]);
        ToolProcess first = Start("share", "one", "--chunker", "fastcdc", "--json", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        Assert.AreEqual(0, (await first.EventAsync("shared")).GetProperty("bytes_already_there").GetInt64());
        first.Signal(ToolProcess.Interrupt);
        await first.ExpectAsync(0);
        ToolProcess second = Start("share", "two", "--chunker", "fastcdc", "--preserve", "--json", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        JsonElement shared = await second.EventAsync("shared");
        Assert.IsGreaterThan(5_000_000, shared.GetProperty("bytes_already_there").GetInt64());
        Done(await FetchAsync(shared.GetProperty("link").GetString()!, "-o", "OUT"));
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(Folder["two"]), await File.ReadAllBytesAsync(Folder["OUT"]));
        ToolProcess wrong = await RunAsync("share", "one", "--chunker", "rabin", "--json", "--data", "A");
        await wrong.ExpectAsync(2);
        AssertError("usage", wrong);
    }

    [TestMethod]
    public async Task Standard_input_of_many_blocks_is_cut_by_content_too()
    {
        string text = Convert.ToBase64String(await File.ReadAllBytesAsync(Folder.File("x", 5_000_000)));
        ToolProcess sharer = Start("share", "-", "--name", "x", "--chunker", "fastcdc", "--json", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        await sharer.SendInputAsync(text);
        JsonElement shared = await sharer.EventAsync("shared");
        Assert.IsGreaterThan(6, shared.GetProperty("blocks").GetInt64());
        Done(await FetchAsync(shared.GetProperty("link").GetString()!, "-o", "OUT"));
        Assert.AreEqual(text, await File.ReadAllTextAsync(Folder["OUT"]));
    }

    private void MakeTree()
    {
        foreach (string path in new[] { "a.txt", "a.tmp", "sub/b.txt", "sub/b.tmp", "build/out.o" })
            Folder.File(Path.Combine("t", path), 1000, seed: path.Length);
    }
}
