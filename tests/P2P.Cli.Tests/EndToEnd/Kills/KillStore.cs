using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>Kills while the store forgets and keeps: the end of a share, the collection of garbage, a pin. What is kept stays, what is not goes.</summary>
internal static class KillStore
{
    public const string Unshare = "unshare", Collect = "gc", Keep = "pin add", Verify = "store verify";

    private const int Block = 1 << 20, MaxInlineBytes = 64 << 10;

    /// <summary>Shares are ended and their blocks are collected; those of other shares stay.</summary>
    public static async Task ForgetAsync(KillScene scene, string phase, int round, int kills)
    {
        KillShare stream = new(KillContent.File(scene.Folder, $"stream{round}", scene.Random), isInput: true);
        KillShare tree = new(KillContent.Tree(scene.Folder, $"forgotten{round}", scene.Random), isInput: false);
        await scene.Sharer.ShareAsync(stream);
        await scene.Sharer.ShareAsync(tree);
        await scene.Sharer.KillAsync();
        await using (ToolProcess ended = await scene.FinishAsync(Unshare, "unshare", tree.Root, "--data", "A", "--json"))
            Assert.AreEqual("unshared", ended.Events[^1].GetProperty("event").GetString());
        for (int i = 0; phase == Unshare && i < kills; i++)
        {
            string[] command = ["unshare", stream.Root, "--data", "A", "--json"];
            await using ToolProcess killed = await scene.KillAsync(Unshare, mayFindItDone: i > 0, command);
            if (killed.Events.Count > 0)
                break; // said and done: it would not be found again
        }

        // Ended or not: at the latest now it is.
        await using (ToolProcess again = ToolProcess.Start(scene.Folder, "unshare", stream.Root, "--data", "A", "--json"))
            Assert.IsTrue(await again.ExitAsync() is 0 or 3, again.ToString());
        for (int i = 0; phase == Collect && i < kills; i++)
            await (await scene.KillAsync(Collect, "gc", "--data", "A", "--json")).DisposeAsync();
        await CollectAsync(scene, "A");
        Assert.AreEqual(BlockFilesOf(scene.Shares), CountBlockFiles(scene, "A"), "block files in A");

        await scene.Sharer.ShareAsync(scene.Acknowledged());
        await scene.CheckAsync(scene.Acknowledged());
    }

    /// <summary>A pin that is killed while it fetches goes on; what it keeps is there when nobody else is.</summary>
    public static async Task KeepAsync(KillScene scene, string phase, int round, int kills)
    {
        KillShare share = scene.Acknowledged();
        string[] command = ["pin", "add", $"p2p://{share.Root}/x?peer={scene.Sharer.FullAddress}", "--data", "B", "--json"];
        for (int i = 0; i < kills; i++)
            await (await scene.KillAsync(phase, command)).DisposeAsync();
        await (await scene.FinishAsync(phase, command)).DisposeAsync();
        await CollectAsync(scene, "B");

        string target = scene.Folder[$"kept{round}"];
        await using (ToolProcess alone = ToolProcess.Start(scene.Folder, "fetch", share.Root, "-o", target, "--data", "B", "--json", "--timeout", "20s"))
            await alone.ExpectAsync(0);
        Trees.AssertEqual(share.Path, target);
        await using ToolProcess let = ToolProcess.Start(scene.Folder, "pin", "rm", share.Root, "--data", "B", "--json");
        await let.ExpectAsync(0);
    }

    /// <summary>A look at everything that is kept, killed and done again: it changes nothing.</summary>
    public static async Task VerifyAsync(KillScene scene, string phase, int round, int kills)
    {
        KillShare stream = scene.Remember(KillContent.File(scene.Folder, $"looked{round}", scene.Random), isInput: true);
        await scene.Sharer.ShareAsync(stream);
        await scene.Sharer.KillAsync();
        for (int i = 0; i < kills; i++)
            await (await scene.KillAsync(phase, "store", "verify", "--data", "A", "--json")).DisposeAsync();
        await VerifyAsync(scene, "A");
        await scene.Sharer.ShareAsync(scene.Acknowledged());
        await scene.CheckAsync(stream);
    }

    /// <summary>Everything that is kept has the right bytes.</summary>
    public static async Task VerifyAsync(KillScene scene, string data)
    {
        await using ToolProcess verified = await scene.FinishAsync(Verify, "store", "verify", "--data", data, "--json");
        Assert.IsFalse(verified.Events.Any(one => one.GetProperty("event").GetString() == "damage"), verified.ToString());
    }

    /// <summary>Collects to the end. What is there afterwards is what is kept.</summary>
    public static async Task CollectAsync(KillScene scene, string data)
    {
        await using ToolProcess collected = await scene.FinishAsync(Collect, "gc", "--data", data, "--json");
        JsonElement report = collected.Events[^1];
        Assert.AreEqual("gc", report.GetProperty("event").GetString(), collected.ToString());
    }

    /// <summary>How many files the store needs for what came through standard input and is shared.</summary>
    public static int BlockFilesOf(IEnumerable<KillShare> shares) =>
        shares.Where(share => share.IsInput && share.Link is not null).Sum(share => (int)((new FileInfo(share.Path).Length + Block - MaxInlineBytes - 1) / Block));

    public static int CountBlockFiles(KillScene scene, string data) => Directory.EnumerateFiles(scene.Folder[data, "blocks"], "*", SearchOption.AllDirectories).Count();
}
