using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using P2P.Cli.Tests.Support;
using P2P.Core;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>A fetch that serves what arrives, killed before, while and after it is done: what it serves in the end, from where it lies, is right.</summary>
internal static class KillSeed
{
    public const string Seeding = "fetch --seed";

    public static async Task RunAsync(KillScene scene, string phase, int round, int kills)
    {
        KillShare share = scene.Acknowledged();
        string to = Directory.CreateDirectory(scene.Folder[$"seeded{round}"]).FullName, target = Path.Combine(to, "OUT");
        int port = FreePort();
        string[] command = ["fetch", $"p2p://{share.Root}/OUT?peer={scene.Sharer.FullAddress}", "-o", to + "/", "--data", "S", "--seed", "--listen", $"/ip4/127.0.0.1/tcp/{port}", "--json"];
        for (int i = 0; i < kills; i++)
        {
            await (await scene.KillAsync(phase, command)).DisposeAsync();
            if (Path.Exists(target))
                Trees.AssertEqual(share.Path, target);
        }

        var clock = Stopwatch.StartNew();
        await using ToolProcess seeder = ToolProcess.Start(scene.Folder, command);
        await seeder.LineAsync(_ => true, "an event");
        TimeSpan first = clock.Elapsed;
        if (seeder.Events[^1].GetProperty("event").GetString() != "done")
            await seeder.EventAsync("done");
        scene.Times.Learn(phase, first, clock.Elapsed);
        Trees.AssertEqual(share.Path, target);

        await using ToolProcess id = ToolProcess.Start(scene.Folder, "id", "--data", "S", "--json");
        await id.ExpectAsync(0);
        JsonElement seederId = id.Events[^1].GetProperty("peer_id");
        await scene.FetchHereAsync(ShareLink.Parse($"p2p://{share.Root}/x?peer=/ip4/127.0.0.1/tcp/{port}/p2p/{seederId.GetString()}"), share, fromSharer: false);
        seeder.Signal(ToolProcess.KillNow);
        await seeder.ExitAsync();
        scene.Counts.Killed(phase);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
