using P2P.Cli.Tests.Support;
using P2P.Core;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>
/// A few rounds of one seed, each in the data folders that the kills of the rounds before have left. In every round a command is killed one to five
/// times in a row, so that recovery is killed too, and then left alone: what it leaves must be whole.
/// </summary>
internal sealed class KillChain(int seed, KillTimes times, KillCounts counts) : IAsyncDisposable
{
    public const int Rounds = 3;

    private const int MaxKillsOfRound = 5;
    private const int LineRate = 24 << 20; // bytes a second: a transfer takes some tenths of a second
    private const string OfFile = "import of a file", OfTree = "import of a tree", OfStream = "import of a stream", Serving = "serving";

    private readonly KillScene _scene = new(seed, times, counts);

    public string Folder => _scene.Folder.Path;

    /// <summary>Where it is, for the message of a failure.</summary>
    public string At { get; private set; } = "start";

    public async Task RunAsync()
    {
        (string Name, Func<KillScene, string, int, int, Task> Run)[] phases =
        [
            (OfFile, ImportAsync), (OfTree, ImportAsync), (OfStream, ImportAsync),
            (KillFetch.OfFile, KillFetch.RunAsync), (KillFetch.OfTree, KillFetch.RunAsync), (KillFetch.IntoFolder, KillFetch.RunAsync), (KillFetch.OverFile, KillFetch.RunAsync),
            (Serving, ServeAsync), (KillSeed.Seeding, KillSeed.RunAsync),
            (KillStore.Unshare, KillStore.ForgetAsync), (KillStore.Collect, KillStore.ForgetAsync), (KillStore.Keep, KillStore.KeepAsync),
            (KillStore.Verify, KillStore.VerifyAsync),
        ];
        _scene.Random.Shuffle(phases);
        await _scene.Sharer.ShareAsync(_scene.Remember(KillContent.File(_scene.Folder, "file", _scene.Random)));
        await _scene.Sharer.ShareAsync(_scene.Remember(KillContent.Tree(_scene.Folder, "tree", _scene.Random)));
        for (int round = 1; round <= Rounds; round++)
        {
            _scene.BeginRound(round);
            (string name, Func<KillScene, string, int, int, Task> run) = phases[round - 1];
            int kills = _scene.Random.Next(1, MaxKillsOfRound + 1);
            At = $"round {round}, {name}, {kills} kills";
            await run(_scene, name, round, kills);
        }

        At = "the end";
        await EndAsync();
    }

    /// <summary>Takes the folder away.</summary>
    public void Clear() => _scene.Folder.Dispose();

    public ValueTask DisposeAsync() => _scene.DisposeAsync();

    private static async Task ImportAsync(KillScene scene, string phase, int round, int kills)
    {
        string name = $"new{round}";
        KillShare share = scene.Remember(phase == OfTree ? KillContent.Tree(scene.Folder, name, scene.Random) : KillContent.File(scene.Folder, name, scene.Random), phase == OfStream);
        for (int i = 0; i < kills; i++)
            await scene.Sharer.KillImportAsync(share, phase, scene.Random);

        // What was acknowledged is served whatever the folder is opened for next; what was not is shared again.
        await scene.Sharer.ShareAsync(share.Link is null ? share : scene.Acknowledged());
        await scene.CheckAsync(share);
        await scene.CheckAsync(scene.Acknowledged());
    }

    /// <summary>The sharer dies while another fetches, and comes back.</summary>
    private static async Task ServeAsync(KillScene scene, string phase, int round, int kills)
    {
        KillShare share = scene.Acknowledged();
        await using var line = new SlowLine(scene.Sharer.Port, LineRate);
        Task fetch = scene.FetchHereAsync(ShareLink.Parse(scene.Sharer.LinkThrough(line, share)), share);
        for (int i = 0; i < kills; i++)
        {
            await scene.WaitAsync(phase);
            await scene.Sharer.KillAsync(phase);
            await scene.Sharer.ShareAsync(scene.Acknowledged());
        }

        await fetch;
    }

    /// <summary>After the last kill: all that was acknowledged is served, the data folders open, and nothing of what was cut off is left in them.</summary>
    private async Task EndAsync()
    {
        await _scene.Sharer.ShareAsync(_scene.Shares[0]);
        foreach (KillShare share in _scene.Shares)
            await _scene.CheckAsync(share);
        await _scene.Sharer.StopAsync();
        await KillStore.CollectAsync(_scene, "A");
        await KillStore.VerifyAsync(_scene, "A");
        AssertClean("A", KillStore.BlockFilesOf(_scene.Shares));
        await using (P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(_scene.Folder["A"])))
        {
            var roots = new HashSet<string>();
            await foreach (Share share in sharer.GetSharesAsync())
                Assert.IsTrue(roots.Add(share.Root.ToString()), "a share is there twice");
            Assert.IsTrue(roots.SetEquals(_scene.Shares.Select(share => share.Root)), "the shares are not those that were acknowledged");
        }

        if (Directory.Exists(_scene.Folder["S"]))
        {
            await KillStore.CollectAsync(_scene, "S");
            AssertClean("S", 0);
        }

        if (!Directory.Exists(_scene.Folder["B"]))
            return;
        await KillStore.CollectAsync(_scene, "B");
        AssertClean("B", 0);
        await using P2PNode fetcher = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = _scene.Folder["B"], Listen = false, Lan = new LanOptions { Enabled = false } });
        Assert.AreEqual(0, (await fetcher.Store.GetUsageAsync()).OwnedBytes, "a fetch that has ended keeps blocks");
    }

    private void AssertClean(string data, int blockFiles)
    {
        Assert.IsEmpty(Directory.EnumerateFiles(_scene.Folder[data, "tmp"]).ToArray(), "temporary files were left in " + data);
        string[] left = [.. Directory.EnumerateFiles(_scene.Folder[data]).Select(path => Path.GetFileName(path)).Except(["identity", "index.db", "lock", "pins", "version"])];
        Assert.IsEmpty(left, $"left in {data}: {string.Join(' ', left)}");
        Assert.AreEqual(blockFiles, KillStore.CountBlockFiles(_scene, data), $"block files in {data}");
    }
}
