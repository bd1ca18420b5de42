using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>What <c>store verify</c> says of a sound folder and of damage.</summary>
[TestClass]
public sealed class StoreCommandTests : EndToEndTest
{
    [TestMethod]
    public async Task A_flipped_bit_is_named_by_file_and_offset()
    {
        string file = Folder.File("film.bin", 3 << 20);
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        (ToolProcess sharer, _) = await ShareAsync("film.bin");
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);

        ToolProcess sound = await RunAsync("store", "verify", "--data", "A", "--json");
        await sound.ExpectAsync(0);
        Assert.IsGreaterThan(3L << 20, sound.Events.Single().GetProperty("bytes").GetInt64());

        await using (FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite))
        {
            stream.Position = (1 << 20) + 5;
            int value = stream.ReadByte();
            stream.Position = (1 << 20) + 5;
            stream.WriteByte((byte)(value ^ 8));
        }
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        ToolProcess damaged = await RunAsync("store", "verify", "--data", "A", "--json");
        await damaged.ExpectAsync(4);
        JsonElement damage = damaged.Events.Single(one => one.GetProperty("event").GetString() == "damage");
        Assert.AreEqual((file, 1L << 20, "source", true), (damage.GetProperty("path").GetString(), damage.GetProperty("offset").GetInt64(), damage.GetProperty("kind").GetString(), damage.GetProperty("lost").GetBoolean()));
        Assert.AreEqual("film.bin", damage.GetProperty("affects").EnumerateArray().Single().GetString());

        ToolProcess human = await RunAsync("store", "verify", "--data", "A");
        await human.ExpectAsync(4);
        StringAssert.Contains(human.Output, $"from byte {1 << 20}");
        StringAssert.Contains(human.Error, "Affected: film.bin");
    }

    [TestMethod]
    public async Task A_lost_index_is_named_and_rebuilt_and_the_same_link_is_served_again()
    {
        Folder.File("film.bin", 3 << 20);
        (ToolProcess sharer, _) = await ShareAsync("film.bin");
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        ToolProcess before = await RunAsync("shares", "--data", "A", "--json");
        File.Delete(Folder["A", "index.db"]);

        ToolProcess refused = await RunAsync("shares", "--data", "A");
        await refused.ExpectAsync(1);
        StringAssert.Contains(refused.Error, "p2p store repair");
        ToolProcess verify = await RunAsync("store", "verify", "--data", "A", "--json");
        await verify.ExpectAsync(4);
        Assert.AreEqual("index", verify.Events[0].GetProperty("kind").GetString());

        ToolProcess repair = await RunAsync("store", "repair", "--data", "A", "--json");
        await repair.ExpectAsync(0);
        Assert.IsTrue(repair.Events[^1].GetProperty("rebuilt").GetBoolean());
        ToolProcess after = await RunAsync("shares", "--data", "A", "--json");
        await after.ExpectAsync(0);
        Assert.AreEqual(before.Events[0].GetProperty("cid").GetString(), after.Events[0].GetProperty("cid").GetString());
        await (await RunAsync("store", "verify", "--data", "A", "--json")).ExpectAsync(0);
        StringAssert.Contains((await RunAsync("store", "repair", "--data", "A")).Error, "All is well");
    }

    [TestMethod]
    public async Task What_nobody_has_is_said_and_what_a_peer_has_is_fetched_again()
    {
        Folder.File("film.bin", 3 << 20);
        (ToolProcess sharer, string link) = await ShareAsync("film.bin");
        await (await RunAsync("pin", "add", link, "--data", "B")).ExpectAsync(0);
        string block = Directory.GetFiles(Folder["B", "blocks"], "*", SearchOption.AllDirectories)[0];
        await File.WriteAllBytesAsync(block, new byte[1 << 20]);

        ToolProcess mended = await RunAsync("store", "repair", "--data", "B", "--json");
        await mended.ExpectAsync(0);
        Assert.AreEqual(1, mended.Events[^1].GetProperty("refetched").GetInt64());
        sharer.Signal(ToolProcess.Interrupt);
        await sharer.ExpectAsync(0);
        await File.WriteAllBytesAsync(block, new byte[1 << 20]);
        ToolProcess lost = await RunAsync("store", "repair", "--data", "B", "--timeout", "1s", "--json");
        await lost.ExpectAsync(4);
        Assert.AreEqual("damage", lost.Events[0].GetProperty("event").GetString());
        Assert.AreEqual(1, lost.Events[^1].GetProperty("lost").GetInt64());
        ToolProcess human = await RunAsync("store", "repair", "--data", "B", "--timeout", "1s");
        await human.ExpectAsync(4);
        StringAssert.Contains(human.Output, "lost: block");
    }
}
