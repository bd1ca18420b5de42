using P2P.Core.Content;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>Goal: an archive holds what a depth-first walk meets, each block once, in the order of the links. Method: fixtures of other tools in that order, small DAGs by hand.</summary>
[TestClass]
public sealed class DagWalkTests
{
    [TestMethod]
    [Vectors]
    [DataRow("gateway-conformance/fixtures/trustless_gateway_car/subdir-with-two-single-block-files.car")]
    [DataRow("gateway-conformance/fixtures/trustless_gateway_car/subdir-with-mixed-block-files.car")]
    [DataRow("gateway-conformance/fixtures/trustless_gateway_car/dir-with-dag-cbor-with-links.car")]
    [DataRow("gateway-conformance/fixtures/trustless_gateway_car/single-layer-hamt-with-multi-block-files.car")]
    [DataRow("gateway-conformance/fixtures/path_gateway_unixfs/dir-with-files.car")]
    [DataRow("unixfs/boxo/dir-special-chars.car")]
    public async Task What_another_tool_archived_depth_first_comes_out_byte_for_byte(string name)
    {
        string path = Vectors.Path(name.Split('/'));
        await using var blocks = new MemoryBlocks();
        Cid root = (await CarFixture.LoadAsync(path, blocks))[0];
        CollectionAssert.AreEqual(await File.ReadAllBytesAsync(path), await ExportAsync(blocks, root));
    }

    [TestMethod]
    public async Task Each_block_comes_once_after_its_first_parent_and_those_in_ids_do_not_come()
    {
        await using var blocks = new MemoryBlocks();
        Cid leaf = blocks.AddRaw([1]);
        Cid shared = blocks.AddNode(Node(leaf));
        Assert.IsTrue(Cid.TryCreate(1, Cid.DagPbCodec, [0, (byte)Node(leaf).Length, .. Node(leaf)], out Cid inside));
        Cid other = blocks.AddRaw([2]);
        Cid empty = Cid.OfRaw([]);
        Cid root = blocks.AddNode(Node(other, blocks.AddNode(Node(shared, other, empty)), shared, inside, leaf));

        List<Cid> walked = await WalkAsync(blocks, root);

        CollectionAssert.AreEqual(new[] { root, other, Cid.OfDagPb(Node(shared, other, empty)), shared, leaf, empty }, walked);
        Assert.AreEqual(5, blocks.NodesServed, "the empty block is known, the others are loaded once");
        Assert.AreEqual(0, blocks.Buffers.RentedCount);
    }

    [TestMethod]
    [Timeout(30_000)]
    public async Task Loads_run_ahead_and_are_bounded()
    {
        await using var blocks = new MemoryBlocks();
        Cid[] leaves = [.. Enumerable.Range(0, 400).Select(i => blocks.AddRaw(BitConverter.GetBytes(i)))];
        Cid[] parts = [.. leaves.Chunk(40).Select(chunk => blocks.AddNode(Node(chunk)))];
        Cid root = blocks.AddNode(Node(parts));
        using var gate = new GatedBlocks(blocks);
        await using var walk = new DagWalk(gate, root, CancellationToken.None);
        gate.Open(1);
        (await walk.MoveNextAsync())!.Value.Dispose();
        gate.Open(1);
        (await walk.MoveNextAsync())!.Value.Dispose();
        Task<NodeBlock?> next = walk.MoveNextAsync().AsTask();
        Assert.IsGreaterThan(30, gate.Waiting);
        Assert.IsLessThanOrEqualTo(128, gate.Waiting);
        gate.Open(10_000);
        (await next)!.Value.Dispose();
        int left = 0;
        for (; await walk.MoveNextAsync() is { } block; left++)
            block.Dispose();
        Assert.AreEqual(408, left);
    }

    [TestMethod]
    public async Task A_walk_that_is_left_gives_back_what_it_had_loaded()
    {
        await using var blocks = new MemoryBlocks();
        Cid root = blocks.AddNode(Node([.. Enumerable.Range(0, 100).Select(i => blocks.AddRaw(BitConverter.GetBytes(i)))]));
        await using (var walk = new DagWalk(blocks, root, CancellationToken.None))
        {
            for (int i = 0; i < 3; i++)
                (await walk.MoveNextAsync())!.Value.Dispose();
        }

        Assert.AreEqual(0, blocks.Buffers.RentedCount);
    }

    [TestMethod]
    public async Task What_cannot_be_followed_ends_the_walk_with_a_sentence()
    {
        await using var blocks = new MemoryBlocks();
        byte[] json = [.. "{\"a\":{\"/\":\"bafkqaaa\"}}"u8];
        Assert.IsTrue(Cid.TryCreate(1, 0x0129, Cid.OfRaw(json).MultihashSpan, out Cid dagJson));
        blocks.Add(dagJson, json);
        Cid malformed = blocks.AddNode([0xFF, 0xFF]);
        Cid deep = blocks.AddRaw([7]);
        for (int i = 0; i <= DagWalk.MaxDepth; i++)
            deep = blocks.AddNode(Node(deep));
        Cid missing = Cid.OfRaw([9]);
        foreach ((Cid cid, P2PErrorCode code) in ((Cid, P2PErrorCode)[])[(dagJson, P2PErrorCode.Integrity), (malformed, P2PErrorCode.Integrity), (deep, P2PErrorCode.Integrity), (missing, P2PErrorCode.NotFound)])
        {
            Cid root = blocks.AddNode(Node(cid));
            Assert.AreEqual(code, (await Assert.ThrowsExactlyAsync<P2PException>(() => WalkAsync(blocks, root))).Code);
            Assert.AreEqual(0, blocks.Buffers.RentedCount);
        }
    }

    [TestMethod]
    [Vectors]
    public void Links_of_dag_cbor_are_found_and_what_is_no_dag_cbor_is_refused()
    {
        foreach (string file in Directory.GetFiles(Vectors.Path("codec-fixtures", "fixtures"), "*.dag-cbor", SearchOption.AllDirectories))
            Assert.IsTrue(DagCbor.TryAddLinks(File.ReadAllBytes(file), []), file);
        var links = new List<Cid>();
        Cid cid = Cid.OfRaw("x"u8);
        byte[] array = [0x82, 0xD8, 0x2A, 0x58, (byte)(cid.ByteLength + 1), 0, .. cid.ToArray(), 0xA1, 0x61, (byte)'a', 0xD8, 0x2A, 0x58, (byte)(cid.ByteLength + 1), 0, .. cid.ToArray()];
        Assert.IsTrue(DagCbor.TryAddLinks(array, links));
        CollectionAssert.AreEqual(new[] { cid, cid }, links);
        for (int length = 0; length < array.Length; length++)
            Assert.IsFalse(DagCbor.TryAddLinks(array.AsSpan(0, length), []), $"cut at {length}");
        foreach (byte[] bad in (byte[][])[[0x9F, 0x01, 0xFF], [0xC1, 0x00], [0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0xBB, 0x80, 0, 0, 0, 0, 0, 0, 1, 0x60], [0x01, 0x01], [0xD8, 0x2A, 0x41, 0x00]])
            Assert.IsFalse(DagCbor.TryAddLinks(bad, []), Convert.ToHexString(bad));
    }

    private static byte[] Node(params Cid[] links) => DagPbCodec.Encode([.. links.Select(link => new DagPbLink(link, [], 1))], null);

    private static async Task<List<Cid>> WalkAsync(MemoryBlocks blocks, Cid root)
    {
        var walked = new List<Cid>();
        await using var walk = new DagWalk(blocks, root, CancellationToken.None);
        while (await walk.MoveNextAsync() is { } block)
        {
            using (block)
                walked.Add(block.Cid);
        }

        return walked;
    }

    private static async Task<byte[]> ExportAsync(MemoryBlocks blocks, Cid root)
    {
        using var archive = new MemoryStream();
        var writer = new CarWriter(archive);
        await writer.BeginAsync(root, CancellationToken.None);
        await using var walk = new DagWalk(blocks, root, CancellationToken.None);
        while (await walk.MoveNextAsync() is { } block)
        {
            using (block)
                await writer.WriteAsync(block.Cid, block.Bytes, CancellationToken.None);
        }

        Assert.AreEqual(archive.Length, writer.Bytes);
        return archive.ToArray();
    }
}
