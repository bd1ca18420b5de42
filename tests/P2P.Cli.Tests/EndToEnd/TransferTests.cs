using System.Text.Json;
using P2P.Cli.Tests.Support;
using P2P.Tests.Shared;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>Share in one process, fetch in another, compare byte for byte.</summary>
[TestClass]
public sealed class TransferTests : EndToEndTest
{
    [TestMethod]
    [DataRow(0L)]
    [DataRow(1L)]
    [DataRow(1L << 20)]
    [DataRow((1L << 20) + 1)]
    [DataRow(64L << 20)]
    public async Task A_file_arrives(long bytes)
    {
        string file = Folder.File("file.bin", bytes);
        (ToolProcess sharer, string link) = await ShareAsync(file);
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
        JsonElement done = Done(fetch);
        Assert.AreEqual(bytes, done.GetProperty("bytes").GetInt64());
        Assert.AreEqual(Folder["OUT"], done.GetProperty("path").GetString());
        Assert.AreEqual(1, done.GetProperty("files").GetInt32());
        Trees.AssertOnly(Folder.Path, "A", "B", "OUT", "file.bin");

        ToolProcess again = await FetchAsync(link, "-o", "OUT");
        await again.ExpectAsync(0);
        Assert.IsEmpty(Done(again).GetProperty("from").EnumerateObject().ToArray(), "nothing is transferred when it is already there");

        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        Assert.AreEqual("", sharer.Error);
        JsonElement shared = sharer.Events.Single(one => one.GetProperty("event").GetString() == "shared");
        Assert.AreEqual(bytes, shared.GetProperty("bytes").GetInt64());
        Assert.AreEqual("ready", sharer.Events[0].GetProperty("event").GetString());
        JsonElement import = sharer.Events.Last(one => one.GetProperty("event").GetString() == "import");
        Assert.AreEqual(bytes, import.GetProperty("bytes").GetInt64());
        long served = sharer.Events.Where(one => one.GetProperty("event").GetString() == "served").Select(one => one.GetProperty("bytes").GetInt64()).DefaultIfEmpty().Max();
        Assert.IsInRange(bytes, (long)(bytes * 1.01) + 100_000, served);
    }

    [TestMethod]
    [SlowTest]
    public Task A_file_of_a_gibibyte_arrives() => A_file_arrives(1L << 30);

    [TestMethod]
    [DataRow(1_000)]
    public async Task A_folder_of_small_files_arrives(int files)
    {
        for (int i = 0; i < files; i++)
            Folder.File($"tree/file {i:D5}.bin", 10_240, i);
        (_, string link) = await ShareAsync("tree");
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT"]);
        Assert.AreEqual(files, Done(fetch).GetProperty("files").GetInt32());
        Trees.AssertOnly(Folder.Path, "A", "B", "OUT", "tree");
    }

    [TestMethod]
    [SlowTest]
    public Task A_folder_of_10000_small_files_arrives() => A_folder_of_small_files_arrives(10_000);

    [TestMethod]
    public async Task Any_legal_name_arrives()
    {
        string[] names =
        [
            "a b", " leading and trailing ", "-x", "--", "--json", "@x", "[x]", "*", "?", "~", "#", "%41", "a&b", "'", "\"", "\\", "$HOME", "`id`", ";", "|", "new\nline", "tab\t",
            "Übung composed", "U\u0308bung decomposed", "日本語", "🎬", ".hidden", "...", "x.part", new string('n', 255), new string('ü', 127), "CON", "a:b", "\u202Egpj.exe", "\u001b[31m",
        ];
        foreach (string name in names)
            Folder.File($"tree/{name}", 1_000 + name.Length, name.Length);
        Directory.CreateDirectory(Folder["tree", "empty folder"]);
        Directory.CreateDirectory(Folder["tree", "folder"]);
        File.CreateSymbolicLink(Folder["tree", "folder", "link"], "../a b");
        (_, string link) = await ShareAsync("tree");
        await (await FetchAsync(link, "-o", "OUT")).ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT"]);

        // And each alone, where the name goes through the command line, the link and the file system.
        await using ToolProcess human = ToolProcess.Start(Folder, ["ls", link, "--data", "B"]);
        await human.ExpectAsync(0);
        Assert.IsFalse(human.Output.AsSpan().ContainsAny("\u001b\u202E"), human.Output);
        ToolProcess ls = await RunAsync("ls", link, "--data", "B", "--json");
        await ls.ExpectAsync(0);
        string[] listed = [.. ls.Events.Select(one => one.GetProperty("path").GetString()!)];
        CollectionAssert.IsSubsetOf(names, listed);
        CollectionAssert.Contains(listed, "folder/link");
    }

    [TestMethod]
    [DataRow("a b")]
    [DataRow("-x")]
    [DataRow("@x")]
    [DataRow("--")]
    [DataRow("[x]")]
    [DataRow("%41#?&")]
    [DataRow("U\u0308bung")]
    [DataRow("255")]
    public async Task A_file_of_any_name_is_fetched_under_it(string name)
    {
        name = name == "255" ? new string('n', 255) : name;
        Folder.File($"from/{name}", 5_000);
        Directory.CreateDirectory(Folder["to"]);
        ToolProcess sharer = Keep(ToolProcess.Start(Folder, ["share", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--", $"from/{name}"]));
        string link = (await sharer.EventAsync("shared")).GetProperty("link").GetString()!;
        await (await FetchAsync(link, "-o", "to")).ExpectAsync(0);
        Trees.AssertEqual(Folder["from"], Folder["to"]);
        Assert.IsTrue(link.All(c => char.IsAsciiLetterOrDigit(c) || "-._~:/#%".Contains(c, StringComparison.Ordinal)), link);
        Assert.IsLessThanOrEqualTo(300, link.Length - Uri.EscapeDataString(name).Length);
    }

    [TestMethod]
    public async Task A_tree_of_50_levels_arrives()
    {
        string path = string.Join('/', Enumerable.Range(0, 50).Select(level => $"level{level}"));
        Folder.File($"tree/{path}/file", 100_000);
        (_, string link) = await ShareAsync("tree");
        await (await FetchAsync(link, "-o", "OUT")).ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT"]);
        await (await FetchAsync(link, path + "/file", "-o", "part")).ExpectAsync(0);
        Trees.AssertEqual(Folder["tree", path, "file"], Folder["part"]);
    }

    [TestMethod]
    public async Task Several_paths_become_one_folder()
    {
        Folder.File("a/one", 3_000_000, 1);
        Folder.File("b/two/three", 10, 2);
        (_, string link) = await ShareAsync("a/one", "b/two");
        await (await FetchAsync(link, "-o", "OUT")).ExpectAsync(0);
        Trees.AssertOnly(Folder["OUT"], "one", "two");
        Trees.AssertEqual(Folder["a", "one"], Folder["OUT", "one"]);
        Trees.AssertEqual(Folder["b", "two"], Folder["OUT", "two"]);

        ToolProcess parts = await FetchAsync(link, "one", "two/three", "-o", "parts/");
        await parts.ExpectAsync(0);
        Trees.AssertOnly(Folder["parts"], "one", "three");
        Assert.HasCount(2, parts.Events.Where(one => one.GetProperty("event").GetString() == "done"));
    }

    [TestMethod]
    public async Task Only_what_is_selected_arrives()
    {
        Folder.File("tree/photos/a.jpg", 10_000, 1);
        Folder.File("tree/photos/2024/b.jpg", 10_000, 2);
        Folder.File("tree/big", 5_000_000, 3);
        (_, string link) = await ShareAsync("tree");
        ToolProcess typo = await FetchAsync(link, "-o", "OUT", "--select", "photo/*.jpg");
        await typo.ExpectAsync(2);
        AssertError("usage", typo);
        StringAssert.Contains(typo.Events[^1].GetProperty("message").GetString(), "'photos");
        Trees.AssertOnly(Folder.Path, "A", "B", "tree");

        ToolProcess fetch = await FetchAsync(link, "-o", "OUT/", "--select", "**/b.jpg", "--select", "photos/a*");
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(Folder["tree", "photos"], Folder["OUT", "tree", "photos"]);
        Trees.AssertOnly(Folder["OUT", "tree"], "photos");
        Assert.AreEqual(20_000L, Done(fetch).GetProperty("bytes").GetInt64());
        Assert.AreEqual(2, Done(fetch).GetProperty("files").GetInt32());
        Assert.IsLessThan(100_000L, Done(fetch).GetProperty("from").EnumerateObject().Sum(one => one.Value.GetInt64()));

        ToolProcess rest = await FetchAsync(link, "-o", "OUT");
        await rest.ExpectAsync(0);
        Trees.AssertEqual(Folder["tree"], Folder["OUT", "tree"]);
        Assert.AreEqual(20_000L, Done(rest).GetProperty("bytes_reused").GetInt64());
        await (await RunAsync("fetch", link, "-o", "-", "--select", "big", "--data", "B")).ExpectAsync(2);
    }

    [TestMethod]
    public async Task Standard_input_is_shared_and_standard_output_is_fetched_to()
    {
        ToolProcess sharer = Start("share", "-", "--name", "notes.txt", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        string text = string.Concat(Enumerable.Repeat("notes ü\n", 200_000));
        await sharer.SendInputAsync(text);
        string link = (await sharer.EventAsync("shared")).GetProperty("link").GetString()!;
        ToolProcess fetch = await RunAsync("fetch", link, "-o", "-", "--data", "B");
        await fetch.ExpectAsync(0);
        Assert.AreEqual(text, fetch.Output);
        await (await FetchAsync(link)).ExpectAsync(0);
        Assert.AreEqual(text, await File.ReadAllTextAsync(Folder["notes.txt"]));
    }

    [TestMethod]
    public async Task Cat_writes_a_range_with_both_ends()
    {
        string text = string.Concat(Enumerable.Range(0, 400_000).Select(i => $"{i:D7}\n")); // 3.2 MB, several blocks
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Folder["tree"]).FullName, "numbers"), text);
        (_, string link) = await ShareAsync("tree");
        foreach ((string range, int from, int to) in new[] { ("0-0", 0, 1), ("1048570-1048600", 1_048_570, 1_048_601), ("3199990-", 3_199_990, text.Length), ("3199990-99999999", 3_199_990, text.Length) })
        {
            ToolProcess cat = await RunAsync("cat", link, "numbers", "--range", range, "--data", "B");
            await cat.ExpectAsync(0);
            Assert.AreEqual(text[from..to], cat.Output, range);
        }

        ToolProcess whole = await RunAsync("cat", link, "numbers", "--data", "B");
        await whole.ExpectAsync(0);
        Assert.AreEqual(text, whole.Output);
        await (await RunAsync("cat", link, "numbers", "--range", "3200000-", "--data", "B")).ExpectAsync(2);
        ToolProcess missing = await RunAsync("cat", link, "nothing", "--data", "B");
        await missing.ExpectAsync(3);
        StringAssert.Contains(missing.Error, "nothing");
    }

    [TestMethod]
    public async Task A_link_can_come_from_standard_input_or_a_file()
    {
        string file = Folder.File("film.mkv", 5_000);
        (_, string link) = await ShareAsync(file);
        ToolProcess piped = Start("fetch", "-", "-o", "piped", "--data", "B", "--json");
        await piped.SendInputAsync(link + "\n");
        await piped.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["piped"]);
        await File.WriteAllTextAsync(Folder["link.txt"], "\n  " + link + "\n");
        await (await RunAsync("fetch", "--link-file", "link.txt", "-o", "filed", "--data", "B", "--json")).ExpectAsync(0);
        Trees.AssertEqual(file, Folder["filed"]);
    }

    [TestMethod]
    [DataRow("bash")]
    [DataRow("zsh")]
    public async Task The_printed_link_pastes_unquoted_into_a_shell(string shell)
    {
        string? program = new[] { "/bin/", "/usr/bin/", "/usr/local/bin/" }.Select(folder => folder + shell).FirstOrDefault(File.Exists);
        if (program is null)
            Assert.Inconclusive(shell + " is not on this machine");
        string file = Folder.File("it's a [film] & more?*.mkv", 5_000);
        ToolProcess sharer = Start("share", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", file);
        string link = await sharer.LineAsync(line => line.StartsWith("p2p://", StringComparison.Ordinal), "the link");
        ToolProcess fetch = Keep(ToolProcess.StartShell(Folder, program, $"mkdir out && cd out && $P2P fetch {link} --data ../B"));
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["out", Path.GetFileName(file)]);
        StringAssert.Contains(fetch.Error, "verified");
    }

    [TestMethod]
    public async Task The_cid_is_that_of_the_share()
    {
        Folder.File("tree/one", 3_000_000);
        ToolProcess cid = await RunAsync("cid", "tree", "--json");
        await cid.ExpectAsync(0);
        ToolProcess plain = await RunAsync("cid", "tree");
        (ToolProcess sharer, _) = await ShareAsync("tree");
        string shared = sharer.Events.Single(one => one.GetProperty("event").GetString() == "shared").GetProperty("cid").GetString()!;
        Assert.AreEqual(shared, cid.Events.Single().GetProperty("cid").GetString());
        Assert.AreEqual(shared + "\n", plain.Output);
        Assert.IsFalse(Directory.Exists(Folder[".local"]), "cid makes no data folder");
    }

    [TestMethod]
    public async Task The_id_is_that_of_the_node_and_stays()
    {
        ToolProcess first = await RunAsync("id", "--data", "A", "--json");
        await first.ExpectAsync(0);
        string id = first.Events.Single().GetProperty("peer_id").GetString()!;
        (ToolProcess sharer, _) = await ShareAsync(Folder.File("x", 1));
        Assert.AreEqual(id, sharer.Events[0].GetProperty("peer_id").GetString());
        ToolProcess beside = await RunAsync("id", "--data", "A");
        await beside.ExpectAsync(0);
        Assert.AreEqual(id + "\n", beside.Output, "id takes no lock");
    }

    [TestMethod]
    public async Task The_demonstration_works()
    {
        ToolProcess demo = await RunAsync("demo", "--json");
        await demo.ExpectAsync(0);
        JsonElement result = demo.Events[^1];
        Assert.AreEqual("demo", result.GetProperty("event").GetString());
        Assert.IsTrue(result.GetProperty("ok").GetBoolean());
        Assert.IsGreaterThanOrEqualTo(2, result.GetProperty("holders").GetInt32());
        Assert.IsInRange(64L << 20, (64L << 20) + 10_000, result.GetProperty("from").EnumerateObject().Sum(sent => sent.Value.GetInt64()));
        Assert.IsFalse(result.GetProperty("from").TryGetProperty(demo.Events[0].GetProperty("peer_id").GetString()!, out _), "the sharer was stopped");
        Assert.AreEqual(3, demo.Events.Single(one => one.GetProperty("event").GetString() == "replicated").GetProperty("min_copies").GetInt32());

        Folder.File("tree/one", 3_000_000);
        ToolProcess own = await RunAsync("demo", "tree");
        await own.ExpectAsync(0);
        StringAssert.StartsWith(own.Output, "ok  ");
        StringAssert.Contains(own.Error, "byte for byte");
        Trees.AssertOnly(Folder.Path, "tree");
    }

    [TestMethod]
    public async Task A_person_sees_the_link_and_who_can_read_and_reach_it()
    {
        string file = Folder.File("film.mkv", 5_000_000);
        ToolProcess sharer = Start("share", "film.mkv", "--skip-unreadable", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        string link = await sharer.LineAsync(line => line.StartsWith("p2p://", StringComparison.Ordinal), "the link");
        await sharer.ErrorContainsAsync("Reachable:");
        ToolProcess fetch = await RunAsync("fetch", link, "--data", "B", "-o", "OUT");
        await fetch.ExpectAsync(0);
        Assert.AreEqual("", fetch.Output);
        StringAssert.StartsWith(fetch.Error, "film.mkv -> ./OUT\n");
        StringAssert.Contains(fetch.Error, "./OUT  5.00 MB, verified, in ");
        ToolProcess again = await RunAsync("fetch", link, "--data", "B", "-o", "OUT");
        StringAssert.Contains(again.Error, "already here");
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        Assert.AreEqual(link + "\n", sharer.Output, "standard output holds the link and nothing else");
        string[] lines = sharer.Error.Split('\n');
        StringAssert.StartsWith(lines[0], "New node 12D3KooW");
        StringAssert.Contains(lines[0], "kept in ./A (port ");
        StringAssert.StartsWith(lines[1], "film.mkv  5.00 MB, hashed in ");
        StringAssert.EndsWith(lines[1], "served from where it lies (not copied)");
        CollectionAssert.Contains(lines, "Elsewhere:  p2p fetch LINK");
        CollectionAssert.Contains(lines, "Readable:   by whoever has the link or learns its content id (--private: link only)");
        CollectionAssert.Contains(lines, "Reachable:  this machine only");
        StringAssert.StartsWith(lines[^2], "Stopped; 5.0");
        StringAssert.EndsWith(lines[^2], "sent to 1 peer. \"p2p share film.mkv --skip-unreadable --data A --listen /ip4/127.0.0.1/tcp/0\" serves the same link again.");
        Assert.IsFalse(sharer.Error.Contains('\e'), "nothing is coloured or redrawn without a terminal");
        Trees.AssertEqual(file, Folder["OUT"]);

        // The port is kept, so the link stays good.
        ToolProcess restarted = Start("share", "film.mkv", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0");
        Assert.AreEqual(link, await restarted.LineAsync(line => line.StartsWith("p2p://", StringComparison.Ordinal), "the link"));
    }
}
