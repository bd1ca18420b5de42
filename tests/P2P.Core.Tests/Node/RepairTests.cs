using System.Security.Cryptography;
using P2P.Core.Tests.Store;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: what is damaged is mended from this machine or from peers, the rest is said, and pins and shares outlive their index.
/// Method: real nodes on loopback whose folders are damaged while they are stopped.</summary>
[TestClass]
public sealed class RepairTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-repair-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task Damaged_blocks_are_fetched_again_and_what_nobody_has_is_told()
    {
        byte[] content = Write("film.bin", 5 * MiB);
        await using P2PNode keeper = await StartAsync("b");
        ShareLink link;
        int damaged;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            link = (await sharer.ShareAsync(In("film.bin"))).Link;
            await keeper.Store.PinAsync(link);
            await keeper.StopAsync();
            damaged = FlipEverySecondBlock("b");
            await keeper.StartAsync();

            // Nobody is asked who is not there: the sharer's address is noted with the pin, so stopping it is what makes it lost.
            await sharer.StopAsync();
            RepairReport alone = await keeper.Store.RepairAsync(new RepairOptions { StallTimeout = TimeSpan.FromSeconds(1) });
            Assert.AreEqual((damaged, 0L, (long)damaged), ((int)alone.Damaged, alone.Refetched, alone.LostCount));
            Assert.HasCount(damaged, alone.Lost);
            Assert.IsTrue(alone.Lost.All(lost => lost.IsLost && lost.Affects.SequenceEqual(["film.bin"])));
            Assert.AreEqual(damaged, (await keeper.Store.GetUsageAsync()).LostBlocks);
            Assert.IsTrue((await keeper.Store.VerifyAsync().ToListAsync()).Where(finding => finding.IsDamage).All(finding => finding.Kind == FindingKind.Lost));
        }

        await using P2PNode again = await StartAsync("a");
        RepairReport report = await keeper.Store.RepairAsync(new RepairOptions { ExtraPeers = [AddressOf(again)] });
        Assert.AreEqual((0L, (long)damaged, 0L), (report.Damaged, report.Refetched, report.LostCount));
        Assert.AreEqual(0, (await keeper.Store.GetUsageAsync()).LostBlocks);
        Assert.IsFalse((await keeper.Store.VerifyAsync().ToListAsync()).Exists(finding => finding.IsDamage));
        await again.StopAsync();
        await keeper.FetchAsync(ShareLink.Parse(link.Root.ToString()), In("copy.bin"));
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("copy.bin")));
    }

    [TestMethod]
    public async Task A_shared_file_is_mended_from_its_copy_and_never_written()
    {
        byte[] content = Write("one/film.bin", 3 * MiB);
        Write("two/film.bin", content);
        await using P2PNode node = await StartAsync("a");
        await node.ShareAsync(In("one/film.bin"));
        await node.ShareAsync(In("two"));
        await node.StopAsync();
        VerifyTests.Flip(In("one/film.bin"), (MiB + 3) * 8L);
        byte[] flipped = await File.ReadAllBytesAsync(In("one/film.bin"));
        await node.StartAsync();
        RepairReport report = await node.Store.RepairAsync(new RepairOptions { StallTimeout = TimeSpan.FromSeconds(1) });
        Assert.AreEqual((1L, 1L, 0L), (report.Damaged, report.Restored, report.LostCount));
        Assert.IsEmpty(await node.Store.VerifyAsync().ToListAsync());
        CollectionAssert.AreEqual(flipped, await File.ReadAllBytesAsync(In("one/film.bin")), "it is the user's file");
    }

    [TestMethod]
    [DataRow("gone")]
    [DataRow("empty")]
    [DataRow("noise")]
    public async Task Shares_and_pins_outlive_the_index(string damage)
    {
        byte[] film = Write("film.bin", (3 * MiB) + 5), secret = Write("secret.bin", 2 * MiB);
        Write("tree/a.bin", 2 * MiB);
        Write("tree/sub/b.bin", 100);
        Write("far.bin", 3 * MiB);
        P2PNode far = await StartAsync("far");
        Share theirs = await far.ShareAsync(In("far.bin"));
        P2PNode node = await StartAsync("a");
        Share[] shares =
        [
            await node.ShareAsync(In("film.bin"), new ShareOptions { AllowedPeers = [far.Id] }),
            await node.ShareAsync([In("tree/a.bin"), In("tree/sub")]),
            await node.ShareAsync(In("secret.bin"), new ShareOptions { Private = true }),
            await node.ShareAsync(In("tree"), new ShareOptions { Chunker = Chunker.FastCdc }),
        ];
        PinnedContent pin = await node.Store.PinAsync(theirs.Link, new PinOptions { Name = "theirs" });
        await node.DisposeAsync();
        foreach (string file in Directory.GetFiles(In("a"), "index.db*"))
            File.Delete(file);
        if (damage != "gone")
            await File.WriteAllBytesAsync(In("a/index.db"), damage == "empty" ? [] : RandomNumberGenerator.GetBytes(100_000));

        P2PException refused = await Assert.ThrowsExactlyAsync<P2PException>(() => StartAsync("a"));
        Assert.AreEqual((P2PErrorCode.Store, In("a/index.db")), (refused.Code, refused.DamagedFile));
        StringAssert.Contains(refused.Message, "p2p store repair");

        P2PNodeOptions options = P2PNodeOptions.Loopback(In("a"));
        options.Storage.IndexRebuild = IndexRebuild.WhenDamaged;
        await using P2PNode rebuilt = await P2PNode.StartAsync(options);
        RepairReport report = await rebuilt.Store.RepairAsync();
        Assert.IsTrue(report.WasRebuilt);
        Assert.AreEqual("", string.Join("; ", report.Incomplete));
        Assert.AreEqual(0, report.LostCount);
        Assert.AreEqual(damage == "noise", File.Exists(In("a/index.damaged-1")));
        await rebuilt.Store.CollectGarbageAsync();
        Assert.IsEmpty(await rebuilt.Store.VerifyAsync().ToListAsync());
        CollectionAssert.AreEquivalent(
            shares.Select(share => (share.Root, share.Name, PinPurpose.Shared)).Append((pin.Root, "theirs", PinPurpose.Pinned)).ToArray(),
            (await rebuilt.Store.GetPinsAsync().ToListAsync()).Select(one => (one.Root, one.Name, one.Purpose)).ToArray());

        // The same links work, the list of peers holds, and the pin no longer needs the other node.
        await far.FetchAsync(shares[2].Link, In("copy-secret.bin"), new FetchOptions { ExtraPeers = [AddressOf(rebuilt)] });
        CollectionAssert.AreEqual(secret, await File.ReadAllBytesAsync(In("copy-secret.bin")));
        await far.FetchAsync(shares[0].Link, In("copy-film.bin"), new FetchOptions { ExtraPeers = [AddressOf(rebuilt)] });
        CollectionAssert.AreEqual(film, await File.ReadAllBytesAsync(In("copy-film.bin")));
        await using P2PNode stranger = await StartAsync("stranger");
        await Assert.ThrowsExactlyAsync<P2PException>(() => stranger.FetchAsync(
            shares[0].Link, In("no.bin"), new FetchOptions { ExtraPeers = [AddressOf(rebuilt)], StallTimeout = TimeSpan.FromSeconds(1) }));
        await far.DisposeAsync();
        await rebuilt.FetchAsync(ShareLink.Parse(pin.Root.ToString()), In("copy-far.bin"));
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(In("far.bin")), await File.ReadAllBytesAsync(In("copy-far.bin")));
    }

    [TestMethod]
    public async Task What_changed_since_it_was_shared_is_not_served_after_a_rebuild()
    {
        Write("tree/same.bin", 2 * MiB);
        Write("tree/other.bin", 2 * MiB);
        Share share;
        await using (P2PNode node = await StartAsync("a"))
            share = await node.ShareAsync(In("tree"));
        File.Delete(In("a/index.db"));
        byte[] diary = Write("tree/other.bin", 2 * MiB);
        P2PNodeOptions options = P2PNodeOptions.Loopback(In("a"));
        options.Storage.IndexRebuild = IndexRebuild.WhenDamaged;
        await using P2PNode rebuilt = await P2PNode.StartAsync(options);
        RepairReport report = await rebuilt.Store.RepairAsync(new RepairOptions { StallTimeout = TimeSpan.FromSeconds(1) });
        StringAssert.Contains(report.Incomplete.Single(), "tree");
        Assert.IsGreaterThan(0, report.LostCount);
        await using P2PNode asker = await StartAsync("b");
        ShareLink theDiary = ShareLink.Parse((await P2PNode.ComputeCidAsync(In("tree/other.bin"))).Cid.ToString());
        Assert.HasCount(2 * MiB, diary);
        await Assert.ThrowsExactlyAsync<P2PException>(() => asker.FetchAsync(
            theDiary, In("stolen.bin"), new FetchOptions { ExtraPeers = [AddressOf(rebuilt)], StallTimeout = TimeSpan.FromSeconds(1) }));

        // Shared again as it is now, the old share ended: the rest of the repair has nothing left to look for.
        await rebuilt.StopSharingAsync(share.Root);
        await rebuilt.ShareAsync(In("tree"));
        RepairReport second = await rebuilt.Store.RepairAsync(new RepairOptions { StallTimeout = TimeSpan.FromSeconds(1) });
        Assert.AreEqual((true, 0L), (second.WasRebuilt, second.LostCount));
        Assert.IsFalse((await rebuilt.Store.RepairAsync()).WasRebuilt);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private Task<P2PNode> StartAsync(string name) => P2PNode.StartAsync(P2PNodeOptions.Loopback(In(name)));

    private static Multiaddress AddressOf(P2PNode node) => Multiaddress.Parse($"{node.Status.Addresses[0]}/p2p/{node.Id}");

    private int FlipEverySecondBlock(string data)
    {
        string[] blocks = [.. Directory.GetFiles(In(data + "/blocks"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Where((_, index) => index % 2 == 0)];
        foreach (string block in blocks)
            VerifyTests.Flip(block, 12_345);
        return blocks.Length;
    }

    private byte[] Write(string name, int bytes) => Write(name, RandomNumberGenerator.GetBytes(bytes));

    private byte[] Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllBytes(In(name), content);
        File.SetLastWriteTimeUtc(In(name), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        return content;
    }
}
