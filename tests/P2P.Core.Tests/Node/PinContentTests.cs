using System.Security.Cryptography;
using P2P.Core.Store;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: pinned content is here as a whole and stays until it is unpinned. Method: real nodes on loopback.</summary>
[TestClass]
public sealed class PinContentTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-pin-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task What_is_pinned_can_be_read_when_everybody_else_is_gone()
    {
        byte[] big = Write("tree/big.bin", (3 * MiB) + 17), small = Write("tree/sub/small.bin", 100);
        Write("tree/sub/copy.bin", small);
        Write("tree/empty.bin", 0);
        await using P2PNode keeper = await StartAsync("b");
        ShareLink link;
        PinnedContent pin;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            link = (await sharer.ShareAsync(In("tree"))).Link;
            pin = await keeper.Store.PinAsync(link);
        }

        Assert.AreEqual((link.Root, "tree", PinPurpose.Pinned, 0L), (pin.Root, pin.Name, pin.Purpose, pin.BytesReused));
        Assert.IsGreaterThan(big.Length, pin.Bytes);
        await keeper.Store.CollectGarbageAsync();
        await keeper.StopAsync();
        await keeper.StartAsync();
        await keeper.FetchAsync(ShareLink.Parse(link.Root.ToString()), In("copy"));
        CollectionAssert.AreEqual(big, await File.ReadAllBytesAsync(In("copy/big.bin")));
        CollectionAssert.AreEqual(small, await File.ReadAllBytesAsync(In("copy/sub/copy.bin")));
        Assert.AreEqual(0, new FileInfo(In("copy/empty.bin")).Length);
        Assert.AreEqual(PinPurpose.Pinned, (await Pins(keeper)).Single().Purpose);
        Assert.IsGreaterThan(big.Length, (await keeper.Store.GetUsageAsync()).OwnedBytes);

        Assert.IsTrue(await keeper.Store.UnpinAsync(link.Root));
        Assert.IsFalse(await keeper.Store.UnpinAsync(link.Root));
        await keeper.Store.CollectGarbageAsync();
        Assert.AreEqual(0, (await keeper.Store.GetUsageAsync()).Blocks);
    }

    [TestMethod]
    public async Task What_is_shared_from_here_is_pinned_without_a_copy()
    {
        Write("film.bin", 3 * MiB);
        await using P2PNode node = await StartAsync("a");
        Share share = await node.ShareAsync(In("film.bin"));
        Assert.IsLessThan(TimeSpan.FromHours(1), TimeProvider.System.GetUtcNow() - (await Pins(node)).Single().CreatedAt, "it says since when");
        StoreUsage before = await node.Store.GetUsageAsync();
        PinnedContent pin = await node.Store.PinAsync(ShareLink.Parse(share.Root.ToString()), new PinOptions { Name = "mine" });
        Assert.AreEqual("mine", pin.Name);
        Assert.AreEqual(pin.Bytes, pin.BytesReused);
        Assert.AreEqual(before.OwnedBytes, (await node.Store.GetUsageAsync()).OwnedBytes);

        await node.StopSharingAsync(share.Root);
        Assert.AreEqual(0, (await node.Store.CollectGarbageAsync()).Blocks, "the pin keeps what the share let go");
        Assert.AreEqual(share.Root, (await Pins(node)).Single().Root);
    }

    [TestMethod]
    public async Task A_pin_that_ended_early_goes_on_where_it_was()
    {
        Write("tree/a.bin", 4 * MiB);
        Write("tree/b.bin", 4 * MiB);
        await using P2PNode keeper = await StartAsync("b");
        ShareLink link;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            link = (await sharer.ShareAsync(In("tree"))).Link;
            File.Move(In("tree/b.bin"), In("away.bin"));
            P2PException stalled = await Assert.ThrowsExactlyAsync<P2PException>(() => keeper.Store.PinAsync(link, new PinOptions { StallTimeout = TimeSpan.FromSeconds(1.5) }));
            Assert.IsTrue(stalled.IsTransient);
            Assert.AreEqual(PinPurpose.InProgress, (await Pins(keeper)).Single().Purpose);
            File.Move(In("away.bin"), In("tree/b.bin"));
        }

        // What came is kept over a restart, and through a collection.
        await keeper.StopAsync();
        await keeper.StartAsync();
        await keeper.Store.CollectGarbageAsync();
        await using P2PNode again = await StartAsync("c");
        ShareLink second = (await again.ShareAsync(In("tree"))).Link;
        Assert.AreEqual(link.Root, second.Root);
        PinnedContent pin = await keeper.Store.PinAsync(second);
        Assert.IsGreaterThan(3L * MiB, pin.BytesReused);
        Assert.IsLessThan(pin.Bytes, pin.BytesReused);
        Assert.AreEqual(PinPurpose.Pinned, (await Pins(keeper)).Single().Purpose);
    }

    [TestMethod]
    public async Task A_pin_of_what_nobody_has_leaves_nothing_behind()
    {
        await using P2PNode node = await StartAsync("a");
        ShareLink link = ShareLink.Parse("bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyka");
        await Assert.ThrowsExactlyAsync<P2PException>(() => node.Store.PinAsync(link, new PinOptions { StallTimeout = TimeSpan.FromSeconds(1) }));
        Assert.IsEmpty(await Pins(node));
    }

    [TestMethod]
    public async Task Pinning_again_when_nobody_has_it_leaves_the_earlier_pin()
    {
        Write("tree/a.bin", 2 * MiB);
        await using P2PNode keeper = await StartAsync("b");
        ShareLink link;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            link = (await sharer.ShareAsync(In("tree"))).Link;
            await keeper.Store.PinAsync(link);
        }

        // The block of the root goes bad, so a new try has nothing to begin with.
        await keeper.StopAsync();
        using (IndexConnection index = IndexConnection.Open(Path.Combine(In("b"), "index.db"), null, 1 << 20))
            index.Run($"UPDATE blobs SET data=zeroblob(length(data)) WHERE id=(SELECT blob FROM blocks WHERE key=x'{Convert.ToHexString(link.Root.MultihashSpan)}')");
        await keeper.StartAsync();
        await Assert.ThrowsExactlyAsync<P2PException>(() => keeper.Store.PinAsync(link, new PinOptions { StallTimeout = TimeSpan.FromSeconds(1) }));
        await keeper.Store.CollectGarbageAsync();
        Assert.AreEqual(PinPurpose.Pinned, (await Pins(keeper)).Single().Purpose);
        Assert.IsGreaterThan(2 * MiB - 1, (await keeper.Store.GetUsageAsync()).OwnedBytes);
    }

    [TestMethod]
    public async Task The_content_id_alone_does_not_take_the_place_of_a_private_pin()
    {
        Write("tree/a.bin", 2 * MiB);
        await using P2PNode sharer = await StartAsync("a"), keeper = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("tree"), new ShareOptions { Private = true });
        PinnedContent pin = await keeper.Store.PinAsync(share.Link);
        PinnedContent bare = await keeper.Store.PinAsync(ShareLink.Parse(share.Root.ToString()));
        Assert.AreEqual(1, bare.Blocks);
        await keeper.Store.CollectGarbageAsync();
        Assert.HasCount(2, await Pins(keeper));
        Assert.IsGreaterThan(2 * MiB, (await keeper.Store.GetUsageAsync()).OwnedBytes);
        await sharer.StopAsync();
        await keeper.FetchAsync(share.Link, In("copy"));
        Assert.AreEqual(2 * MiB, new FileInfo(In("copy/a.bin")).Length);
        Assert.IsGreaterThan(1, pin.Blocks);
        Assert.IsTrue(await keeper.Store.UnpinAsync(share.Root));
        Assert.IsEmpty(await Pins(keeper));
    }

    [TestMethod]
    public async Task Garbage_makes_room_before_a_pin_is_refused()
    {
        Write("first.bin", 6 * MiB);
        Write("second.bin", 6 * MiB);
        Write("third.bin", 6 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        P2PNodeOptions options = P2PNodeOptions.Loopback(In("b"));
        options.Storage = new StorageOptions { MaxOwnedBytes = 10 * MiB };
        await using P2PNode keeper = await P2PNode.StartAsync(options);
        Share first = await sharer.ShareAsync(In("first.bin")), second = await sharer.ShareAsync(In("second.bin")), third = await sharer.ShareAsync(In("third.bin"));
        await keeper.Store.PinAsync(first.Link);
        await keeper.Store.UnpinAsync(first.Root);
        await keeper.Store.PinAsync(second.Link);
        P2PException full = await Assert.ThrowsExactlyAsync<P2PException>(() => keeper.Store.PinAsync(third.Link));
        Assert.AreEqual(P2PErrorCode.Quota, full.Code);
        Assert.IsLessThanOrEqualTo(10 * MiB, (await keeper.Store.GetUsageAsync()).OwnedBytes);
        Assert.IsTrue((await Pins(keeper)).Exists(pin => pin.Root == second.Root && pin.Purpose == PinPurpose.Pinned));
    }

    private static async Task<List<PinnedContent>> Pins(P2PNode node) => await node.Store.GetPinsAsync().ToListAsync();

    private string In(string name) => Path.Combine(_folder, name);

    private Task<P2PNode> StartAsync(string name) => P2PNode.StartAsync(P2PNodeOptions.Loopback(In(name)));

    private byte[] Write(string name, int bytes) => Write(name, RandomNumberGenerator.GetBytes(bytes));

    private byte[] Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllBytes(In(name), content);
        return content;
    }
}
