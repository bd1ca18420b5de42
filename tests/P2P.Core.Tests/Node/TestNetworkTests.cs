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
        while (!fetch.IsCompleted)
        {
            network.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(() => fetch)).Code);
    }
}
