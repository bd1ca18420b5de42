using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>What goes wrong in the world: the documented exit code, a sentence, and never a partial file under the final name.</summary>
[TestClass]
public sealed class FailureTests : EndToEndTest
{
    [TestMethod]
    public async Task A_link_with_a_typo_is_wrong_usage()
    {
        (_, string link) = await ShareAsync(Folder.File("x", 5_000));
        foreach (string typo in new[] { link[1..], link.Replace("p2p://b", "p2p://b1", StringComparison.Ordinal), link.Replace("p2p://b", "p2p://", StringComparison.Ordinal), link[..^3], link + "!" })
        {
            ToolProcess fetch = await FetchAsync(typo, "-o", "OUT");
            await fetch.ExpectAsync(2);
            AssertError("usage", fetch);
        }

        Assert.IsFalse(File.Exists(Folder["OUT"]));
    }

    [TestMethod]
    public async Task A_sharer_that_is_off_is_unreachable_and_the_reason_is_shown()
    {
        (ToolProcess sharer, string link) = await ShareAsync(Folder.File("x", 5_000));
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT", "--timeout", "7s");
        await fetch.ExpectAsync(3);
        AssertError("unreachable", fetch);
        StringAssert.Contains(fetch.Events[^1].GetProperty("message").GetString(), "--timeout");
        JsonElement stalled = fetch.Events.First(one => one.GetProperty("event").GetString() == "stalled");
        Assert.IsGreaterThanOrEqualTo(4.9, stalled.GetProperty("seconds").GetDouble());
        StringAssert.Contains(stalled.GetProperty("attempts")[0].GetProperty("address").GetString(), "127.0.0.1");

        ToolProcess human = await RunAsync("fetch", link, "-o", "OUT", "--timeout", "6s", "--data", "B");
        await human.ExpectAsync(3);
        StringAssert.Contains(human.Error, "Nothing received for ");
        StringAssert.Contains(human.Error, "p2p: ");
        Trees.AssertOnly(Folder.Path, "A", "B", "x");
    }

    [TestMethod]
    public async Task Content_that_nobody_has_is_not_found()
    {
        (_, string link) = await ShareAsync(Folder.File("x", 5_000));
        string other = link.Replace(link.Split('/')[2], "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", StringComparison.Ordinal);
        ToolProcess fetch = await FetchAsync(other, "-o", "OUT", "--timeout", "6s");
        await fetch.ExpectAsync(3);
        AssertError("not_found", fetch);
        Trees.AssertOnly(Folder.Path, "A", "B", "x");
    }

    [TestMethod]
    public async Task A_port_that_never_answers_is_not_waited_for_longer_than_the_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        string link = $"p2p://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy/x?peer=/ip4/127.0.0.1/tcp/{((IPEndPoint)silent.LocalEndpoint).Port}/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        ToolProcess fetch = await FetchAsync(link, "--timeout", "3s");
        await fetch.ExpectAsync(3);
        Assert.IsLessThan(20, System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    [TestMethod]
    public async Task An_existing_target_is_left_alone_replaced_or_written_beside()
    {
        string file = Folder.File("file.bin", 3_000_000);
        (_, string link) = await ShareAsync(file);
        await File.WriteAllTextAsync(Folder["OUT"], "mine");
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT");
        await fetch.ExpectAsync(1);
        AssertError("exists", fetch);
        StringAssert.Contains(fetch.Events[^1].GetProperty("message").GetString(), "OUT");
        Assert.AreEqual("mine", await File.ReadAllTextAsync(Folder["OUT"]));

        ToolProcess renamed = await FetchAsync(link, "-o", "OUT", "--rename");
        await renamed.ExpectAsync(0);
        Assert.AreEqual(Folder["OUT (1)"], Done(renamed).GetProperty("path").GetString());
        Trees.AssertEqual(file, Folder["OUT (1)"]);
        Assert.AreEqual("mine", await File.ReadAllTextAsync(Folder["OUT"]));

        await (await FetchAsync(link, "-o", "OUT", "--overwrite")).ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
        Trees.AssertOnly(Folder.Path, "A", "B", "OUT", "OUT (1)", "file.bin");
    }

    [TestMethod]
    public async Task A_folder_is_merged_and_others_files_are_left_alone()
    {
        Folder.File("tree/same", 10, 1);
        Folder.File("tree/missing", 20, 2);
        Folder.File("tree/sub/other", 30, 3);
        (_, string link) = await ShareAsync("tree");
        Folder.File("OUT/same", 10, 1);
        Folder.File("OUT/extra", 5, 9);
        await (await FetchAsync(link, "-o", "OUT/../", "--rename")).ExpectAsync(0); // into the parent of OUT: beside "tree" itself, equal, kept
        ToolProcess into = await RunAsync("fetch", link.Replace("/tree#", "/OUT#", StringComparison.Ordinal), "--data", "B", "--json");
        await into.ExpectAsync(0);
        Trees.AssertEqual(Folder["tree", "missing"], Folder["OUT", "missing"]);
        Trees.AssertEqual(Folder["tree", "sub"], Folder["OUT", "sub"]);
        Trees.AssertOnly(Folder["OUT"], "same", "extra", "missing", "sub");

        await File.WriteAllTextAsync(Folder["OUT", "same"], "mine");
        ToolProcess conflict = await RunAsync("fetch", link.Replace("/tree#", "/OUT#", StringComparison.Ordinal), "--data", "B", "--json");
        await conflict.ExpectAsync(1);
        AssertError("exists", conflict);
        StringAssert.Contains(conflict.Events[^1].GetProperty("message").GetString(), "same");
        Assert.AreEqual("mine", await File.ReadAllTextAsync(Folder["OUT", "same"]));
    }

    [TestMethod]
    public async Task A_file_that_changes_while_it_is_shared_is_never_sent()
    {
        string file = Folder.File("file.bin", 3_000_000);
        (ToolProcess sharer, string link) = await ShareAsync(file);
        Folder.File("file.bin", 3_000_000, seed: 2);
        ToolProcess fetch = await FetchAsync(link, "-o", "OUT", "--timeout", "6s");
        await fetch.ExpectAsync(3);
        Assert.AreEqual("source_changed", (await sharer.EventAsync("warning")).GetProperty("code").GetString());
        Assert.IsFalse(File.Exists(Folder["OUT"]));
    }

    [TestMethod]
    public async Task A_missing_file_cannot_be_shared()
    {
        foreach (string command in new[] { "share", "cid" })
        {
            ToolProcess share = await RunAsync(command, "missing", "--data", "A", "--json");
            await share.ExpectAsync(3);
            AssertError("not_found", share);
            StringAssert.Contains(share.Events[^1].GetProperty("message").GetString(), "missing");
        }
    }

    [TestMethod]
    public async Task A_missing_permission_is_said()
    {
        // As root nothing is forbidden, so the tool runs as nobody there.
        string prefix = Environment.UserName == "root" ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
        (_, string link) = await ShareAsync(Folder.File("x", 5_000));
        Folder.File("secret", 10);
        Directory.CreateDirectory(Folder["forbidden"]);
        ToolProcess prepared = Keep(ToolProcess.StartShell(Folder, "/bin/sh", "chmod 755 . && chmod 500 forbidden && chmod 000 secret && mkdir -m 777 open && " + prefix + "true"));
        if (await prepared.ExitAsync() != 0)
            Assert.Inconclusive("cannot become another user here: " + prepared.Error);
        ToolProcess fetch = Keep(ToolProcess.StartShell(Folder, "/bin/sh", $"{prefix}$P2P fetch '{link}' -o forbidden/OUT --data open/B"));
        await fetch.ExpectAsync(5);
        StringAssert.StartsWith(fetch.Error.Split('\n')[^2], "p2p: ");
        StringAssert.Contains(fetch.Error, "forbidden");
        ToolProcess share = Keep(ToolProcess.StartShell(Folder, "/bin/sh", $"{prefix}$P2P share secret --data open/C --listen /ip4/127.0.0.1/tcp/0"));
        await share.ExpectAsync(5);
        StringAssert.Contains(share.Error, "secret");
        ToolProcess data = Keep(ToolProcess.StartShell(Folder, "/bin/sh", $"{prefix}$P2P id --data forbidden/D"));
        await data.ExpectAsync(5);
        StringAssert.Contains(data.Error, "forbidden");
    }

    [TestMethod]
    public async Task A_full_disk_is_said_and_leaves_no_file()
    {
        (_, string link) = await ShareAsync(Folder.File("file.bin", 24 << 20));
        Directory.CreateDirectory(Folder["small"]);
        ToolProcess fetch = Keep(ToolProcess.StartShell(Folder, "/bin/sh",
            $"unshare -m true 2>/dev/null || exit 77; exec unshare -m sh -c 'mount -t tmpfs -o size=8m none small || exit 77; $P2P fetch {link} -o small/OUT --data B; code=$?; ls small; exit $code'"));
        if (await fetch.ExitAsync() == 77)
            Assert.Inconclusive("cannot mount a small disk here");
        Assert.AreEqual(5, await fetch.ExitAsync(), fetch.ToString());
        Assert.DoesNotContain("OUT", fetch.Output.Split('\n'));
        StringAssert.Contains(fetch.Error, "p2p: ");
    }

    [TestMethod]
    public async Task Two_terminals_of_one_user_work_without_a_data_option()
    {
        string file = Folder.File("film.mkv", 5_000_000);
        ToolProcess sharer = Start("share", "film.mkv", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        string link = (await sharer.EventAsync("shared")).GetProperty("link").GetString()!;
        Assert.IsTrue(File.Exists(Folder[".local", "share", "p2p", "identity"]));

        var temporary = new Dictionary<string, string> { ["TMPDIR"] = Directory.CreateDirectory(Folder["tmp"]).FullName };
        ToolProcess fetch = Keep(ToolProcess.Start(Folder, temporary, "fetch", link, "-o", "OUT", "--json"));
        await fetch.ExpectAsync(0);
        Trees.AssertEqual(file, Folder["OUT"]);
        Trees.AssertOnly(Folder["tmp"]);
        await (await RunAsync("ls", link)).ExpectAsync(0);
        await (await RunAsync("cat", link)).ExpectAsync(0);

        ToolProcess second = await RunAsync("store", "repair");
        await second.ExpectAsync(1);
        StringAssert.Contains(second.Error, sharer.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), "says who holds it");

        var elsewhere = new Dictionary<string, string> { ["XDG_DATA_HOME"] = Folder["xdg"] };
        ToolProcess third = Keep(ToolProcess.Start(Folder, elsewhere, "id"));
        await third.ExpectAsync(0);
        Assert.IsTrue(File.Exists(Folder["xdg", "p2p", "identity"]));
        ToolProcess fourth = Keep(ToolProcess.Start(Folder, new Dictionary<string, string> { ["P2P_DATA"] = Folder["env"] }, "id"));
        await fourth.ExpectAsync(0);
        Assert.IsTrue(File.Exists(Folder["env", "identity"]));
        Assert.AreNotEqual(third.Output, fourth.Output);
        if (!OperatingSystem.IsWindows())
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Folder["env", "identity"]));
    }

    [TestMethod]
    public async Task A_fetch_beside_resumes_too()
    {
        string file = Folder.File("file.bin", 32 << 20);
        ToolProcess sharer = Start("share", "file.bin", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        JsonElement ready = await sharer.EventAsync("ready"), shared = await sharer.EventAsync("shared");
        int port = int.Parse(ready.GetProperty("addresses")[0].GetString()!.Split('/')[4], System.Globalization.CultureInfo.InvariantCulture);
        await using var line = new SlowLine(port, 20 << 20);
        string link = line.Link(ready, shared);
        File.Delete(Folder[".local", "share", "p2p", "control.sock"]); // so the owner is as a program that has none
        ToolProcess fetch = Start("fetch", link, "-o", "OUT", "--json");
        while ((await fetch.EventAsync("progress")).GetProperty("bytes").GetInt64() < 16 << 20)
        {
        }

        fetch.Signal(ToolProcess.Interrupt);
        await fetch.ExpectAsync(130);
        ToolProcess again = await RunAsync("fetch", link, "-o", "OUT", "--json");
        await again.ExpectAsync(0);
        Assert.IsGreaterThan(10L << 20, Done(again).GetProperty("bytes_reused").GetInt64());
        Trees.AssertEqual(file, Folder["OUT"]);
    }

    [TestMethod]
    public async Task Verbose_and_log_write_the_debug_log()
    {
        (_, string link) = await ShareAsync(Folder.File("x", 5_000));
        ToolProcess fetch = await RunAsync("fetch", link, "-o", "OUT", "--data", "B", "--json", "--verbose", "--log", "log.txt");
        await fetch.ExpectAsync(0);
        StringAssert.Contains(fetch.Error, " debug ");
        StringAssert.Contains(await File.ReadAllTextAsync(Folder["log.txt"]), " debug ");
        ToolProcess quiet = await RunAsync("fetch", link, "-o", "OUT2", "--data", "B", "--quiet");
        await quiet.ExpectAsync(0);
        Assert.AreEqual("", quiet.Error + quiet.Output);
    }
}
