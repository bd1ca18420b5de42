using System.Text.Json.Nodes;
using P2P.Core;
using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Interop;

/// <summary>Goal: the same bytes have the same content id here and in Helia, at every edge of the layout. Method: both import what one rule generates; nothing is stored.</summary>
[TestClass]
[Helia]
public sealed class CidTests
{
    private const long MiB = 1 << 20;

    [TestMethod]
    [DataRow(0L, 1 << 20)]
    [DataRow(1L, 1 << 20)]
    [DataRow(MiB, 1 << 20)]
    [DataRow(MiB + 1, 1 << 20)]
    [DataRow(3 * MiB, 1 << 20)]
    [DataRow(1_100L * 256, 256)] // 1,100 leaves: more than one node of links
    [DataRow(1_024 * MiB, 1 << 20)] // exactly one full node of links
    [DataRow(1_025 * MiB, 1 << 20)] // one leaf more: two levels
    public async Task A_file_has_the_same_content_id(long bytes, int chunk)
    {
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        Task<JsonNode> theirs = helia.AskAsync("cid", new { bytes, seed = 0, chunk }, TimeSpan.FromMinutes(4));
        var importer = new Importer(store: null, new BlockBufferPool(), new ImportOptions { Profile = UnixFsProfile.V1_2025 with { ChunkBytes = chunk } });
        await using var content = new PatternStream(bytes, 0);
        ImportResult ours = await importer.ImportAsync(content, default, progress: null, CancellationToken.None);

        Assert.AreEqual((string)(await theirs)["cid"]!, ours.Root.ToString());
    }

    [TestMethod]
    public async Task A_folder_of_5000_entries_has_the_same_content_id()
    {
        using var folder = new Scratch();
        await using HeliaPeer helia = await HeliaPeer.StartAsync();
        Task<JsonNode> theirs = helia.AskAsync("addFolder", new { files = 5_000, bytes = 10 }, TimeSpan.FromMinutes(4));
        for (int i = 0; i < 5_000; i++)
            folder.Write($"tree/f{i:00000}.bin", 10, seed: i);
        ContentEntry ours = await P2PNode.ComputeCidAsync(folder.Path("tree"));

        Assert.AreEqual((string)(await theirs)["cid"]!, ours.Cid.ToString());
    }
}
