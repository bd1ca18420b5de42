using System.Diagnostics;
using System.Text.Json;
using P2P.Cli.Tests.Support;
using P2P.Core;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>
/// A few rounds of one seed, each in the data folders that the kills of the rounds before have left. In every round a command is killed one to three
/// times in a row, so that recovery is killed too, and then left alone: what it leaves must be whole.
/// </summary>
internal sealed class KillChain : IAsyncDisposable
{
    public const int Rounds = 4;

    private const int LineRate = 24 << 20; // bytes a second: a transfer takes some tenths of a second
    private const int MaxKillsOfRound = 3;
    private const long SlackBytes = 256 << 10; // inner nodes and framing beside what was asked for

    private readonly KillTimes _times;
    private readonly KillCounts _counts;
    private readonly Random _random;
    private readonly KillSharer _sharer;
    private readonly List<KillShare> _shares = [];
    private int _round;
    private int _checks;

    public KillChain(int seed, KillTimes times, KillCounts counts)
    {
        (_times, _counts, _random) = (times, counts, new Random(seed));
        _sharer = new KillSharer(Folder, times, counts);
    }

    public TemporaryFolder Folder { get; } = new();

    /// <summary>Where it is, for the message of a failure.</summary>
    public string At { get; private set; } = "start";

    public async Task RunAsync()
    {
        await _sharer.ShareAsync(Remember(KillContent.File(Folder, "file", _random), isInput: false));
        await _sharer.ShareAsync(Remember(KillContent.Tree(Folder, "tree", _random), isInput: false));
        (string Name, Func<string, int, Task> Run)[] phases =
        [
            ("import of a file", ImportAsync), ("import of a tree", ImportAsync), ("import of a stream", ImportAsync),
            ("fetch of a file", FetchAsync), ("fetch of a tree", FetchAsync), ("fetch into a folder", FetchAsync), ("fetch over a file", FetchAsync),
            ("serving", ServeAsync),
        ];
        _random.Shuffle(phases);
        foreach ((string name, Func<string, int, Task> run) in phases.Take(Rounds))
        {
            _round++;
            int kills = _random.Next(1, MaxKillsOfRound + 1);
            At = $"round {_round}, {name}, {kills} kills";
            await run(name, kills);
        }

        At = "the end";
        await EndAsync();
    }

    public ValueTask DisposeAsync() => _sharer.DisposeAsync();

    private KillShare Remember(string path, bool isInput)
    {
        var share = new KillShare(path, isInput);
        _shares.Add(share);
        return share;
    }

    // ---- import

    private async Task ImportAsync(string phase, int kills)
    {
        string name = $"new{_round}";
        bool isTree = phase == "import of a tree", isInput = phase == "import of a stream";
        KillShare share = Remember(isTree ? KillContent.Tree(Folder, name, _random) : KillContent.File(Folder, name, _random), isInput);
        for (int i = 0; i < kills; i++)
            await _sharer.KillImportAsync(share, phase, _random);

        // What was acknowledged is served whatever the folder is opened for next; what was not is shared again.
        await _sharer.ShareAsync(share.Link is null ? share : _shares[_random.Next(_shares.Count)]);
        await CheckAsync(share);
        await CheckAsync(Acknowledged(_ => true));
    }

    // ---- fetch

    private async Task FetchAsync(string phase, int kills)
    {
        KillShare share = Acknowledged(one => one.IsTree == phase is "fetch of a tree" or "fetch into a folder");
        string to = Directory.CreateDirectory(Folder[$"out{_round}"]).FullName, target = Path.Combine(to, "OUT");
        string? before = Prepare(phase, share, target);
        await using var line = new SlowLine(_sharer.Port, LineRate);
        string[] command = ["fetch", _sharer.LinkThrough(line, share), "-o", to + "/", "--data", "B", "--json", .. before is null ? Array.Empty<string>() : ["--overwrite"]];
        for (int i = 0; i < kills; i++)
        {
            await KillFetchAsync(command, phase, share, to, target);
            AssertWholeOrBefore(share, target, before);
        }

        long intact = KillContent.Intact(share.Path, PartOf(to), target);
        var clock = Stopwatch.StartNew();
        await using ToolProcess fetch = ToolProcess.Start(Folder, command);
        await fetch.LineAsync(_ => true, "an event");
        TimeSpan first = clock.Elapsed;
        await fetch.ExpectAsync(0);
        if (intact == 0)
            _times.Learn(phase, first, clock.Elapsed);
        Trees.AssertEqual(share.Path, target);
        Trees.AssertOnly(to, "OUT");
        JsonElement done = fetch.Events[^1];
        Assert.AreEqual("done", done.GetProperty("event").GetString(), fetch.ToString());
        long reused = done.GetProperty("bytes_reused").GetInt64(), bytes = done.GetProperty("bytes").GetInt64();
        long carried = done.GetProperty("from").EnumerateObject().Sum(one => one.Value.GetInt64());
        Assert.IsGreaterThanOrEqualTo(intact, reused, $"whole blocks on the disk were not used again\n{fetch}");
        Assert.IsLessThanOrEqualTo(bytes - reused + SlackBytes, carried, $"more was transferred than was missing\n{fetch}");
        _counts.Resumed(reused);
    }

    /// <summary>Something that stands at the target already. Returns what a file there held.</summary>
    private string? Prepare(string phase, KillShare share, string target)
    {
        if (phase == "fetch over a file")
        {
            File.WriteAllText(target, "before");
            return "before";
        }

        if (phase == "fetch into a folder")
        {
            Directory.CreateDirectory(target);
            foreach (string path in Directory.EnumerateFiles(share.Path).Where(path => new FileInfo(path).LinkTarget is null).Where(_ => _random.Next(3) == 0).ToArray())
                File.Copy(path, Path.Combine(target, Path.GetFileName(path)));
        }

        return null;
    }

    private async Task KillFetchAsync(string[] command, string phase, KillShare share, string to, string target)
    {
        TimeSpan moment = _times.Draw(phase, _random);
        await using ToolProcess fetch = ToolProcess.Start(Folder, command);
        await Task.Delay(moment);
        if (!fetch.HasEnded)
            fetch.Signal(ToolProcess.KillNow);
        int exit = await fetch.ExitAsync();
        if (exit == 0)
        {
            _counts.CameLate();
            Trees.AssertEqual(share.Path, target);
            return;
        }

        Assert.AreEqual(128 + ToolProcess.KillNow, exit, $"it should have run until it was killed\n{fetch}");
        _counts.Killed(phase);
        long told = fetch.Events.Where(one => one.GetProperty("event").GetString() == "progress").Select(one => one.GetProperty("bytes").GetInt64()).LastOrDefault();
        Assert.IsGreaterThanOrEqualTo(told, KillContent.Intact(share.Path, PartOf(to), target), $"what was told to be verified is not on the disk\n{fetch}");
    }

    private static string PartOf(string folder) =>
        Directory.EnumerateFileSystemEntries(folder, ".p2p-*.part").SingleOrDefault() ?? Path.Combine(folder, "no part");

    /// <summary>Nothing stands under a final name but what stood there before or what is whole; beside it at most one part and one lock.</summary>
    private static void AssertWholeOrBefore(KillShare share, string target, string? before)
    {
        string[] beside = [.. Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(target)!).Where(path => path != target).Select(path => Path.GetExtension(path))];
        Assert.IsTrue(beside.Count(extension => extension == ".part") <= 1 && beside.Count(extension => extension == ".lock") <= 1 && beside.All(extension => extension is ".part" or ".lock"), string.Join(' ', beside));
        if (File.Exists(target))
        {
            if (before is null || new FileInfo(target).Length != before.Length || File.ReadAllText(target) != before)
                Trees.AssertEqual(share.Path, target);
            return;
        }

        if (!Directory.Exists(target))
            return;
        foreach (string path in Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories))
            Trees.AssertEqual(Path.Combine(share.Path, Path.GetRelativePath(target, path)), path);
    }

    // ---- serving

    /// <summary>The sharer dies while another fetches, and comes back.</summary>
    private async Task ServeAsync(string phase, int kills)
    {
        KillShare share = Acknowledged(_ => true);
        await using var line = new SlowLine(_sharer.Port, LineRate);
        Task fetch = FetchHereAsync(ShareLink.Parse(_sharer.LinkThrough(line, share)), share);
        for (int i = 0; i < kills; i++)
        {
            await Task.Delay(_times.Draw("serving", _random));
            await _sharer.KillAsync(phase);
            await _sharer.ShareAsync(_shares[_random.Next(_shares.Count)]);
        }

        await fetch;
    }

    // ---- checks

    private KillShare Acknowledged(Func<KillShare, bool> fits)
    {
        KillShare[] known = [.. _shares.Where(share => share.Link is not null && fits(share))];
        return known[_random.Next(known.Length)];
    }

    private async Task CheckAsync(KillShare share)
    {
        await FetchHereAsync(ShareLink.Parse(share.Link!), share);
        _counts.Checked();
    }

    /// <summary>Fetches in this process, into a store that knows nothing, and compares.</summary>
    private async Task FetchHereAsync(ShareLink link, KillShare share)
    {
        int number = ++_checks;
        string data = Folder[$"check{number}"], target = Folder[$"checked{number}"];
        await using (P2PNode node = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = data, Listen = false }))
            await node.FetchAsync(link, target, new FetchOptions { StallTimeout = TimeSpan.FromSeconds(60), ExtraPeers = [_sharer.FullAddress] });
        Trees.AssertEqual(share.Path, target);
        Directory.Delete(data, recursive: true);
        if (share.IsTree)
            Directory.Delete(target, recursive: true);
        else
            File.Delete(target);
    }

    /// <summary>After the last kill: all that was acknowledged is served, the data folders open, and nothing of what was cut off is left in them.</summary>
    private async Task EndAsync()
    {
        await _sharer.ShareAsync(_shares[0]);
        foreach (KillShare share in _shares)
            await CheckAsync(share);
        await _sharer.StopAsync();
        AssertClean("A");
        await using (P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Folder["A"])))
        {
            var roots = new HashSet<string>();
            await foreach (Share share in sharer.GetSharesAsync())
                Assert.IsTrue(roots.Add(share.Root.ToString()), "a share is there twice");
            Assert.IsTrue(roots.SetEquals(_shares.Select(share => share.Root)), "the shares are not those that were acknowledged");
        }

        if (!Directory.Exists(Folder["B"]))
            return;
        await using (P2PNode fetcher = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = Folder["B"], Listen = false }))
        {
            StoreUsage usage = await fetcher.Store.GetUsageAsync();
            Assert.AreEqual(usage.OwnedBytes, usage.ReclaimableBytes, "a fetch that has ended keeps blocks");
        }

        AssertClean("B");
    }

    private void AssertClean(string data)
    {
        Assert.IsEmpty(Directory.EnumerateFiles(Folder[data, "tmp"]).ToArray(), "temporary files were left in " + data);
        string[] left = [.. Directory.EnumerateFiles(Folder[data]).Select(path => Path.GetFileName(path)).Except(["identity", "index.db", "lock", "version"])];
        Assert.IsEmpty(left, $"left in {data}: {string.Join(' ', left)}");
    }
}
