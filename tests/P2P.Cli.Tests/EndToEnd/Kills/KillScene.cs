using System.Diagnostics;
using P2P.Cli.Tests.Support;
using P2P.Core;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>What the rounds of one seed share: folders, chance, the sharer with what was acknowledged, and how commands are killed and shares checked.</summary>
internal sealed class KillScene : IAsyncDisposable
{
    private readonly int _seed;
    private int _checks;

    public KillScene(int seed, KillTimes times, KillCounts counts)
    {
        (_seed, Times, Counts, Random) = (seed, times, counts, new Random(seed));
        Sharer = new KillSharer(Folder, times, counts);
    }

    public TemporaryFolder Folder { get; } = new();

    /// <summary>The chance of this round: each has its own, so that what a machine's speed did to one leaves the others as they are when a seed is run again.</summary>
    public Random Random { get; private set; }

    public KillTimes Times { get; }

    public KillCounts Counts { get; }

    public KillSharer Sharer { get; }

    /// <summary>Everything that was ever to be shared and not ended.</summary>
    public List<KillShare> Shares { get; } = [];

    public void BeginRound(int round) => Random = new Random(HashCode(_seed, round));

    public KillShare Remember(string path, bool isInput = false)
    {
        var share = new KillShare(path, isInput);
        Shares.Add(share);
        return share;
    }

    /// <summary>One of the shares whose link was printed.</summary>
    public KillShare Acknowledged(Func<KillShare, bool>? fits = null)
    {
        KillShare[] known = [.. Shares.Where(share => share.Link is not null && fits?.Invoke(share) != false)];
        return known[Random.Next(known.Length)];
    }

    /// <summary>Starts a command and kills it at a moment that is drawn. It may have ended by then, well.</summary>
    /// <returns>The process, ended; whoever called disposes it.</returns>
    public Task<ToolProcess> KillAsync(string phase, params string[] command) => KillAsync(phase, mayFindItDone: false, command);

    /// <summary>The same of a command that ends with 3 when one that was killed before had done its work without saying so.</summary>
    public async Task<ToolProcess> KillAsync(string phase, bool mayFindItDone, params string[] command)
    {
        TimeSpan moment = Times.Draw(phase, Random);
        ToolProcess process = ToolProcess.Start(Folder, command);
        try
        {
            await Task.Delay(moment);
            if (!process.HasEnded)
                process.Signal(ToolProcess.KillNow);
            int exit = await process.ExitAsync();
            Assert.IsTrue(exit is 0 or 128 + ToolProcess.KillNow || (mayFindItDone && exit == 3), $"it should have run until it was killed\n{process}");
            if (exit is 0 or 3)
                Counts.CameLate();
            else
                Counts.Killed(phase);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command that nobody kills: it must end well.</summary>
    /// <returns>The process, ended; whoever called disposes it.</returns>
    public async Task<ToolProcess> FinishAsync(string phase, params string[] command)
    {
        var clock = Stopwatch.StartNew();
        ToolProcess process = ToolProcess.Start(Folder, command);
        try
        {
            await process.LineAsync(_ => true, "an event");
            TimeSpan first = clock.Elapsed;
            await process.ExpectAsync(0);
            Times.Learn(phase, first, clock.Elapsed);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>A moment within what a command takes.</summary>
    public Task WaitAsync(string phase) => Task.Delay(Times.Draw(phase, Random));

    /// <summary>Something that was acknowledged is served, byte for byte.</summary>
    public async Task CheckAsync(KillShare share)
    {
        await FetchHereAsync(ShareLink.Parse(share.Link!), share);
        Counts.Checked();
    }

    /// <summary>Fetches in this process, into a store that knows nothing, and compares.</summary>
    /// <param name="link">What, and from whom.</param>
    /// <param name="share">What it must be.</param>
    /// <param name="fromSharer">Ask the sharer too, wherever it listens by now.</param>
    public async Task FetchHereAsync(ShareLink link, KillShare share, bool fromSharer = true)
    {
        int number = ++_checks;
        string data = Folder[$"check{number}"], target = Folder[$"checked{number}"];
        await using (P2PNode node = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = data, Listen = false, Lan = new LanOptions { Enabled = false } }))
            await node.FetchAsync(link, target, new FetchOptions { StallTimeout = TimeSpan.FromSeconds(60), ExtraPeers = fromSharer ? [Sharer.FullAddress] : [] });
        Trees.AssertEqual(share.Path, target);
        Directory.Delete(data, recursive: true);
        if (share.IsTree)
            Directory.Delete(target, recursive: true);
        else
            File.Delete(target);
    }

    // System.HashCode differs from process to process
    private static int HashCode(int seed, int round) => unchecked((seed * 1_000_003) + round);

    public ValueTask DisposeAsync() => Sharer.DisposeAsync();
}
