using System.Diagnostics;
using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>The sharer of a chain: one data folder, one process after the other, each ended by SIGKILL.</summary>
internal sealed class KillSharer(TemporaryFolder folder, KillTimes times, KillCounts counts) : IAsyncDisposable
{
    private const string Command = "share";

    private ToolProcess? _process;
    private JsonElement _ready;

    /// <summary>The port that the living process listens on.</summary>
    public int Port => int.Parse(Address.Split('/')[4], System.Globalization.CultureInfo.InvariantCulture);

    public string PeerId => _ready.GetProperty("peer_id").GetString()!;

    private string Address => _ready.GetProperty("addresses")[0].GetString()!;

    /// <summary>Where the living process is reached.</summary>
    public Core.Multiaddress FullAddress => Core.Multiaddress.Parse($"{Address}/p2p/{PeerId}", null);

    /// <summary>The same content by a line's port only, under the name OUT.</summary>
    public string LinkThrough(SlowLine line, KillShare share) => $"p2p://{share.Root}/OUT?peer=/ip4/127.0.0.1/tcp/{line.Port}/p2p/{PeerId}";

    /// <summary>Shares until the moment that was drawn, and is killed then; whatever was acknowledged until then has its link afterwards.</summary>
    public async Task KillImportAsync(KillShare share, string phase, Random random)
    {
        await KillAsync();
        TimeSpan moment = times.Draw(Command + Kind(share), random);
        ToolProcess process = Start(share);
        await using (process)
        {
            await Task.Delay(moment);
            if (!process.HasEnded)
                process.Signal(ToolProcess.KillNow);
            int exit = await process.ExitAsync();
            Assert.AreEqual(128 + ToolProcess.KillNow, exit, $"it should have run until it was killed\n{process}");
            counts.Killed(phase);
            JsonElement shared = process.Events.FirstOrDefault(one => one.GetProperty("event").GetString() == "shared");
            if (shared.ValueKind == JsonValueKind.Object)
                Acknowledge(share, shared);
        }
    }

    /// <summary>Shares it and serves it, and everything that was shared before.</summary>
    public async Task ShareAsync(KillShare share)
    {
        await KillAsync();
        var clock = Stopwatch.StartNew();
        _process = Start(share);
        _ready = await _process.EventAsync("ready");
        TimeSpan ready = clock.Elapsed;
        Acknowledge(share, await _process.EventAsync("shared"));
        times.Learn(Command + Kind(share), ready, clock.Elapsed);
    }

    /// <summary>Kills the process that serves, if there is one.</summary>
    /// <param name="phase">What it counts for; null: it has nothing to do and is in the way, which counts for nothing.</param>
    public async Task KillAsync(string? phase = null)
    {
        if (_process is not { } process)
            return;
        _process = null;
        await using (process)
        {
            process.Signal(ToolProcess.KillNow);
            Assert.AreEqual(128 + ToolProcess.KillNow, await process.ExitAsync(), process.ToString());
            if (phase is not null)
                counts.Killed(phase);
        }
    }

    /// <summary>Ends it as its user would.</summary>
    public async Task StopAsync()
    {
        ToolProcess process = _process!;
        _process = null;
        await using (process)
        {
            process.Signal(ToolProcess.Terminate);
            await process.ExpectAsync(0);
            Assert.IsFalse(process.Events.Any(one => one.GetProperty("event").GetString() is "warning" or "error"), process.ToString());
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    private static string Kind(KillShare share) => share.IsInput ? " -" : share.IsTree ? " tree" : " file";

    private ToolProcess Start(KillShare share)
    {
        const string Where = "--data A --listen /ip4/127.0.0.1/tcp/0 --json";
        return share.IsInput
            ? ToolProcess.StartShell(folder, "/bin/sh", $"exec \"$P2P\" share - --name {share.Name} {Where} < {share.Name}")
            : ToolProcess.Start(folder, ["share", share.Path, .. Where.Split(' ')]);
    }

    private static void Acknowledge(KillShare share, JsonElement shared)
    {
        string link = shared.GetProperty("link").GetString()!;
        if (share.Link is not null)
            Assert.AreEqual(share.Root, link.Split('/')[2], "the same content has another id after a kill");
        share.Link = link;
    }
}
