using P2P.Core.Content;
using P2P.Core.Tests.Content;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: archives go out whole and come in kept, or not at all. Method: real nodes on loopback, damaged and partial archives.</summary>
[TestClass]
public sealed class CarTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-car-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task What_is_exported_over_the_network_is_imported_kept_and_exported_again_alike()
    {
        Write("tree/a/film.bin", (3 * MiB) + 5);
        Write("tree/b.txt", 700);
        Write("tree/copy of b.txt", 700);
        Write("tree/empty", 0);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("tree"));
        await using P2PNode other = await StartAsync("b");

        CarExportResult exported = await other.Store.ExportCarAsync(share.Link, In("tree.car"));

        Assert.AreEqual((share.Root, In("tree.car"), new FileInfo(In("tree.car")).Length), (exported.Root, exported.Path, exported.Bytes));
        (CarReader reader, var blocks) = await CarFixture.ReadAsync(File.OpenRead(In("tree.car")));
        Assert.AreEqual(share.Root, reader.Roots.Single());
        CollectionAssert.AllItemsAreUnique(blocks.Select(block => block.Cid).ToList());
        Assert.HasCount((int)exported.Blocks, blocks);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder, ".p2p-*"), "nothing lies beside it");

        await using (P2PNode third = await StartAsync("c"))
        {
            CarImportResult imported = await ImportAsync(third, In("tree.car"));
            Assert.AreEqual((share.Root, exported.Blocks, 0L), (imported.Roots.Single(), imported.Blocks, imported.MissingBlocks));
        }

        await using P2PNode again = await StartAsync("c");
        using var copy = new MemoryStream();
        await again.Store.ExportCarAsync(ShareLink.Parse(share.Root.ToString()), copy);
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(In("tree.car")), copy.ToArray(), "kept over a restart, without a network");
    }

    [TestMethod]
    public async Task A_path_in_a_link_is_the_root_of_its_archive()
    {
        byte[] content = Write("tree/a/film.bin", 2 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("tree"));
        using var archive = new MemoryStream();
        CarExportResult exported = await sharer.Store.ExportCarAsync(ShareLink.Parse($"ipfs://{share.Root}/a/film.bin"), archive);
        Assert.AreNotEqual(share.Root, exported.Root);
        await using Stream read = await sharer.OpenReadAsync(ShareLink.Parse(exported.Root.ToString()));
        Assert.AreEqual(content.Length, read.Length);
        Assert.AreEqual(3, exported.Blocks);
    }

    [TestMethod]
    [Vectors]
    public async Task A_partial_archive_is_taken_and_what_is_missing_counted()
    {
        await using P2PNode node = await StartAsync("a");
        CarImportResult whole = await ImportAsync(node, Vectors.Path("car", "go-car", "simple-unixfs.car"));
        Assert.AreEqual(0, whole.MissingBlocks);
        await using P2PNode other = await StartAsync("b");
        CarImportResult partial = await ImportAsync(other, Vectors.Path("car", "go-car", "simple-unixfs-missing-blocks.car"));
        Assert.AreEqual(whole.Roots.Single(), partial.Roots.Single());
        Assert.AreEqual(3, partial.MissingBlocks, "of the five that are not there, those that a block which is there links to");
        CarImportResult two = await ImportAsync(other, Vectors.Path("car", "js-car", "go.car"));
        Assert.HasCount(2, two.Roots);
        Assert.AreEqual(0, two.MissingBlocks);
    }

    [TestMethod]
    public async Task A_damaged_archive_leaves_nothing()
    {
        Write("film.bin", 5 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("film.bin"));
        await sharer.Store.ExportCarAsync(share.Link, In("film.car"));
        byte[] archive = await File.ReadAllBytesAsync(In("film.car"));
        archive[^100] ^= 1;
        await using P2PNode node = await StartAsync("b");
        for (int i = 0; i < 2; i++)
        {
            P2PException fault = await Assert.ThrowsExactlyAsync<P2PException>(() => node.Store.ImportCarAsync(new MemoryStream(archive)));
            Assert.AreEqual(P2PErrorCode.Integrity, fault.Code);
        }

        using var cancelled = new CancellationTokenSource();
        var stream = new CarFixture.Pieces(archive, [.. Enumerable.Range(1, 100).Select(i => i * 40_000)]) { OnRead = at => { if (at > 2 * MiB) cancelled.Cancel(); } };
        await Assert.ThrowsAsync<OperationCanceledException>(() => node.Store.ImportCarAsync(stream, cancellationToken: cancelled.Token));
        StoreUsage usage = await node.Store.GetUsageAsync();
        Assert.AreEqual(usage.OwnedBytes, usage.ReclaimableBytes, "whatever was taken in is garbage");
        Assert.IsEmpty(await node.GetSharesAsync().ToListAsync());
    }

    [TestMethod]
    public async Task A_target_that_exists_is_left_alone_unless_asked()
    {
        Write("film.bin", 2 * MiB);
        await File.WriteAllTextAsync(In("film.car"), "mine");
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("film.bin"));

        P2PException exists = await Assert.ThrowsExactlyAsync<P2PException>(() => sharer.Store.ExportCarAsync(share.Link, In("film.car")));
        Assert.AreEqual((P2PErrorCode.Exists, "mine"), (exists.Code, await File.ReadAllTextAsync(In("film.car"))));
        CarExportResult beside = await sharer.Store.ExportCarAsync(share.Link, In("film.car"), new CarExportOptions { IfExists = IfExists.Rename });
        Assert.AreEqual((In("film (1).car"), "mine"), (beside.Path, await File.ReadAllTextAsync(In("film.car"))));
        CarExportResult over = await sharer.Store.ExportCarAsync(share.Link, In("film.car"), new CarExportOptions { IfExists = IfExists.Overwrite });
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(In("film (1).car")), await File.ReadAllBytesAsync(over.Path!));
        Assert.AreEqual(P2PErrorCode.NotFound, (await Assert.ThrowsExactlyAsync<P2PException>(() => sharer.Store.ExportCarAsync(share.Link, In("no/film.car")))).Code);
        Assert.AreEqual(P2PErrorCode.Exists, (await Assert.ThrowsExactlyAsync<P2PException>(() => sharer.Store.ExportCarAsync(share.Link, _folder, new CarExportOptions { IfExists = IfExists.Overwrite }))).Code);
    }

    [TestMethod]
    public async Task An_export_that_fails_leaves_nothing_and_says_why()
    {
        await using P2PNode node = await StartAsync("a");
        var nobody = ShareLink.Parse(Cid.OfRaw("nobody has this"u8).ToString());
        P2PException fault = await Assert.ThrowsExactlyAsync<P2PException>(() => node.Store.ExportCarAsync(nobody, In("x.car"), new CarExportOptions { StallTimeout = TimeSpan.FromSeconds(1) }));
        Assert.AreEqual(P2PErrorCode.NotFound, fault.Code);
        P2PException secret = await Assert.ThrowsExactlyAsync<P2PException>(() => node.Store.ExportCarAsync(ShareLink.CreatePrivate(nobody.Root, new byte[32], []), In("x.car")));
        Assert.AreEqual(P2PErrorCode.Permission, secret.Code);
        Assert.IsEmpty(Directory.GetFiles(_folder));
        Assert.AreEqual(P2PErrorCode.Integrity, (await Assert.ThrowsExactlyAsync<P2PException>(() => node.Store.ImportCarAsync(new MemoryStream([.. "no archive"u8])))).Code);
    }

    private static async Task<CarImportResult> ImportAsync(P2PNode node, string path)
    {
        await using FileStream file = File.OpenRead(path);
        return await node.Store.ImportCarAsync(file, new CarImportOptions { Name = Path.GetFileName(path) });
    }

    private Task<P2PNode> StartAsync(string name) => P2PNode.StartAsync(P2PNodeOptions.Loopback(In(name)));

    private string In(string name) => Path.Combine(_folder, name);

    private byte[] Write(string name, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllBytes(In(name), content);
        return content;
    }
}
