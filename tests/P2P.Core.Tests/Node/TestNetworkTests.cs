using System.Security.Cryptography;
using P2P.Testing;

namespace P2P.Core.Tests.Node;

[TestClass]
public sealed class TestNetworkTests
{
    [TestMethod]
    public async Task Nodes_in_memory_share_and_fetch_while_the_clock_stands_still()
    {
        string folder = Directory.CreateTempSubdirectory("p2p-test-").FullName;
        byte[] content = RandomNumberGenerator.GetBytes(5 << 20);
        await File.WriteAllBytesAsync(Path.Combine(folder, "film.bin"), content);
        await using (var network = new TestNetwork(seed: 7))
        {
            P2PNode sharer = await network.StartNodeAsync(), fetcher = await network.StartNodeAsync();
            Share share = await sharer.ShareAsync(Path.Combine(folder, "film.bin"));
            FetchResult result = await fetcher.FetchAsync(share.Link, Path.Combine(folder, "copy.bin"));

            CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(result.Path));
            Assert.AreEqual(sharer.Id, result.BytesByPeer.Single().Key);
        }

        Directory.Delete(folder, recursive: true);
    }

    [TestMethod]
    public async Task A_fetch_that_stands_still_ends_when_the_clock_is_advanced()
    {
        await using var network = new TestNetwork(seed: 7);
        P2PNode fetcher = await network.StartNodeAsync();
        string target = Path.Combine(Path.GetTempPath(), $"p2p-{Guid.NewGuid():N}");
        Task<FetchResult> fetch = fetcher.FetchAsync(ShareLink.Parse("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyka"), target);
        await network.Time.AdvanceUntilAsync(() => fetch.IsCompleted, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(4));

        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(() => fetch)).Code);
    }

    [TestMethod]
    public async Task A_list_or_a_read_of_what_nobody_has_ends_too()
    {
        await using var network = new TestNetwork(seed: 7);
        P2PNode asker = await network.StartNodeAsync();
        ShareLink link = ShareLink.Parse("bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyka");
        Task<ContentEntry> list = asker.ListAsync(link).FirstAsync().AsTask();
        Task<Stream> read = asker.OpenReadAsync(link);
        await network.Time.AdvanceUntilAsync(() => list.IsCompleted && read.IsCompleted, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(4));

        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(() => list)).Code);
        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(() => read)).Code);
    }

    [TestMethod]
    public async Task What_nothing_keeps_is_freed_when_nothing_happens()
    {
        string folder = Directory.CreateTempSubdirectory("p2p-test-").FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, "film.bin"), RandomNumberGenerator.GetBytes(3 << 20));
        await using (var network = new TestNetwork(seed: 7))
        {
            P2PNode sharer = await network.StartNodeAsync(), fetcher = await network.StartNodeAsync(), seeder = await network.StartNodeAsync();
            Share share = await sharer.ShareAsync(Path.Combine(folder, "film.bin"));
            await fetcher.FetchAsync(share.Link, Path.Combine(folder, "copy.bin"));
            for (int i = 0; i < 2; i++)
                await seeder.FetchAsync(share.Link, Path.Combine(folder, "seeded.bin"), new FetchOptions { Seed = true });
            Assert.AreEqual(1L, (await fetcher.Store.GetUsageAsync()).Blocks, "the file's inner node");

            await network.Time.AdvanceUntilAsync(() => fetcher.Store.GetUsageAsync().Result.Blocks == 0, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2));
            await network.Time.AdvanceAsync(TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(5));
            Assert.AreEqual(4L, (await sharer.Store.GetUsageAsync()).Blocks);
            Assert.AreEqual(4L, (await seeder.Store.GetUsageAsync()).Blocks);
        }

        Directory.Delete(folder, recursive: true);
    }
}
