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
}
