using P2P.Core.Content;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>Content that other implementations wrote.</summary>
[TestClass]
public sealed class FixtureTests
{
    private const string DeepFolder = "bafybeig3yoibxe56aolixqa4zk55gp5sug3qgaztkakpndzk2b2ynobd4i";

    [TestMethod]
    [Vectors]
    public async Task A_sharded_folder_is_listed_from_its_shards_alone()
    {
        await using var blocks = new MemoryBlocks();
        await CarFixture.LoadAsync(Vectors.Path("unixfs", "kubo", "TestGatewayHAMTDirectory.car"), blocks);
        var names = new HashSet<string>();
        await foreach (ContentEntry entry in new DagReader(blocks).ListAsync(Cid.Parse(DeepFolder), null, recursive: true, CancellationToken.None))
        {
            if (entry.Path.Length > 0)
                Assert.IsTrue(names.Add(entry.Path));
        }

        Assert.IsGreaterThan(700, names.Count);
        string some = names.Order(StringComparer.Ordinal).ElementAt(names.Count / 2);
        int before = blocks.NodesServed;
        Assert.AreEqual(some, (await new DagReader(blocks).ResolveAsync(Cid.Parse(DeepFolder), some, CancellationToken.None)).Path);
        Assert.IsLessThan(12, blocks.NodesServed - before);
    }

    [TestMethod]
    [Vectors]
    public async Task A_name_in_a_sharded_folder_is_found_by_its_hash()
    {
        string car = Vectors.Path("gateway-conformance", "fixtures", "trustless_gateway_car", "single-layer-hamt-with-multi-block-files.car");
        await using var blocks = new MemoryBlocks();
        Cid root = (await CarFixture.LoadAsync(car, blocks))[0];
        var reader = new DagReader(blocks);
        ContentEntry entry = await reader.ResolveAsync(root, "470.txt", CancellationToken.None);
        Assert.AreEqual("470.txt", entry.Path);
        Assert.IsGreaterThan(0L, entry.Bytes ?? 0);
        P2PException missing = await Assert.ThrowsExactlyAsync<P2PException>(() => reader.ResolveAsync(root, "no such name", CancellationToken.None));
        Assert.AreEqual(P2PErrorCode.NotFound, missing.Code);
    }

    [TestMethod]
    [Vectors]
    [DataRow("dir-special-chars.car")]
    [DataRow("directory-with-multilayer-hamt-and-multiblock-files.car")]
    [DataRow("unixfs-dir-with-mode-mtime.car")]
    public async Task Whole_trees_are_listed_and_their_files_read(string car)
    {
        string path = Vectors.Path("unixfs", "boxo", car);
        await using var blocks = new MemoryBlocks();
        IReadOnlyList<Cid> roots = await CarFixture.LoadAsync(path, blocks);
        var reader = new DagReader(blocks);
        int files = 0;
        foreach (Cid root in roots)
        {
            await foreach (ContentEntry entry in reader.ListAsync(root, null, recursive: true, CancellationToken.None))
            {
                if (entry.Kind != ContentKind.File || !blocks.Has(entry.Cid))
                    continue;
                await using VerifiedStream stream = await reader.OpenAsync(entry.Cid, null, CancellationToken.None);
                try
                {
                    using var copy = new MemoryStream();
                    await stream.CopyToAsync(copy);
                    Assert.AreEqual(stream.Length, copy.Length, entry.Path);
                    files++;
                }
                catch (P2PException error) when (error.Code == P2PErrorCode.NotFound)
                {
                    continue; // the fixture leaves out some leaves
                }
            }
        }

        Assert.IsGreaterThan(0, files);
    }
}
