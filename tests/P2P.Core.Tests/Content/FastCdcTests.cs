using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Goal: everybody who follows docs/protocol.md cuts alike. Method: the vector recorded there, and a plain implementation of the rule beside ours.</summary>
[TestClass]
public sealed class FastCdcTests
{
    private const int MiB = 1 << 20;
    private const int PrivateMaxBytes = 1_028_096;

    private static readonly Lazy<byte[]> Content = new(static () => KeyStream.Bytes("fastcdc", 16 * MiB));

    [TestMethod]
    public void The_gear_table_is_made_by_the_rule()
    {
        Assert.AreEqual(256, FastCdc.GearTable.Length);
        Assert.AreEqual(0x987ab3ff9c0b346eUL, FastCdc.GearTable[0]);
        Assert.AreEqual(0xd04019aae60a10a8UL, FastCdc.GearTable[255]);
    }

    [TestMethod]
    [DataRow(MiB)]
    [DataRow(PrivateMaxBytes)]
    public void Cuts_are_where_a_plain_implementation_of_the_rule_cuts(int maxBytes)
    {
        int[] lengths = Lengths(Content.Value, maxBytes);
        int offset = 0;
        foreach (int length in lengths)
        {
            Assert.AreEqual(PlainLength(Content.Value.AsSpan(offset), maxBytes), length, $"at {offset}");
            offset += length;
        }

        Assert.AreEqual(Content.Value.Length, offset);
        Assert.IsTrue(lengths.SkipLast(1).All(length => length >= FastCdc.MinBytes && length <= maxBytes));
        Assert.IsTrue(lengths.Distinct().Count() > lengths.Length / 2, "cuts follow the content");
    }

    [TestMethod]
    public void Content_without_a_cut_is_cut_at_the_longest_leaf_and_a_short_rest_stays_whole()
    {
        var chunker = new FastCdc(MiB);
        byte[] zeros = new byte[(2 * MiB) + 5];
        int length = chunker.NextLength(zeros);
        Assert.AreEqual(PlainLength(zeros, MiB), length);
        Assert.AreEqual(FastCdc.MinBytes, chunker.NextLength(zeros.AsSpan(0, FastCdc.MinBytes)));
        Assert.AreEqual(1, chunker.NextLength([7]));
        Assert.AreEqual(0, chunker.NextLength([]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new FastCdc(1000));
    }

    [TestMethod]
    public async Task The_recorded_vector_holds_for_files_and_streams()
    {
        int[] expected = [203_070, 652_068, 578_567, 709_118, 646_970, 594_749];
        CollectionAssert.AreEqual(expected, Lengths(Content.Value, MiB)[..6]);
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["f"], Content.Value);
        var importer = new Importer(null, new BlockBufferPool(), new ImportOptions { CutsByContent = true, Workers = 2 });
        ImportResult file = await importer.ImportAsync([folder["f"]], default, null, CancellationToken.None);
        ImportResult stream = await importer.ImportAsync(new MemoryStream(Content.Value), default, null, CancellationToken.None);
        Assert.AreEqual("bafybeiefhm6kbur3obxzlf5vdn6zyrvnybyzbvcieoqvxfkbqaqwbo4bk4", file.Root.ToString());
        Assert.AreEqual(28 + 1, file.Blocks);
        Assert.AreEqual(file.Root, stream.Root);
        Assert.AreEqual(file.Blocks, stream.Blocks);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(FastCdc.MinBytes)]
    [DataRow(FastCdc.MinBytes + 1)]
    [DataRow(MiB)]
    [DataRow(5 * MiB)]
    public async Task A_file_of_any_length_reads_back_as_it_was(int length)
    {
        using var folder = new TempFolder();
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        byte[] content = Content.Value[..length];
        string path = fixture.WriteFile("f", content);
        ImportResult result = await ImportAsync(fixture, path, cutsByContent: true);
        using var copy = new MemoryStream();
        await using (VerifiedStream stream = await new DagReader(new StoreSource(fixture.Store)).OpenAsync(result.Root, null, CancellationToken.None))
            await stream.CopyToAsync(copy);
        Assert.IsTrue(content.AsSpan().SequenceEqual(copy.ToArray()));
        Assert.IsLessThan(10_000, fixture.Store.GetUsage().OwnedBytes, "leaves lie in the file");
    }

    [TestMethod]
    public async Task Insertions_leave_nine_tenths_of_the_bytes_known()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        byte[] content = KeyStream.Bytes("versions", 64 * MiB);
        string first = fixture.WriteFile("first", content);
        ImportResult before = await ImportAsync(fixture, first, cutsByContent: true);
        Assert.AreEqual(0, before.BytesAlreadyThere);

        // 100 insertions in a GiB are 6 in 64 MiB
        byte[] edited = Insert(content, new Random(5), count: 6);
        ImportResult after = await ImportAsync(fixture, fixture.WriteFile("second", edited), cutsByContent: true);
        Assert.IsGreaterThanOrEqualTo(0.9 * edited.Length, after.BytesAlreadyThere);
        Assert.IsLessThan(edited.Length, after.BytesAlreadyThere);

        ImportResult again = await ImportAsync(fixture, first, cutsByContent: true);
        Assert.AreEqual(content.Length, again.BytesAlreadyThere);
        Assert.AreEqual(before.Root, again.Root);
    }

    [TestMethod]
    public async Task The_same_file_cut_by_both_rules_keeps_both_roots_in_the_cache_and_both_in_trust()
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        string path = fixture.WriteFile("f", Content.Value.AsSpan(0, 3 * MiB));
        ImportResult byLength = await ImportAsync(fixture, path, cutsByContent: false);
        ImportResult byContent = await ImportAsync(fixture, path, cutsByContent: true);
        Assert.AreNotEqual(byLength.Root, byContent.Root);
        foreach (bool cutsByContent in new[] { true, false, true })
        {
            ImportResult again = await ImportAsync(fixture, path, cutsByContent);
            Assert.AreEqual((cutsByContent ? byContent : byLength).Root, again.Root);
            Assert.AreEqual(3 * MiB, again.BytesAlreadyThere, "taken from the cache");
        }

        Cid leaf = Cid.OfRaw(Content.Value.AsSpan(0, MiB));
        Assert.IsTrue(fixture.Store.TryOpenBlock(leaf, P2P.Core.Store.BlockReadPurpose.Serve, out P2P.Core.Store.StoredBlock block));
        using (block)
            Assert.IsNull(block.TakeBuffer(), "in no doubt, it is read as it is sent");
    }

    private static byte[] Insert(byte[] content, Random random, int count)
    {
        using var edited = new MemoryStream();
        int from = 0;
        foreach (int at in Enumerable.Range(0, count).Select(_ => random.Next(content.Length)).Order())
        {
            edited.Write(content, from, at - from);
            byte[] inserted = new byte[1024];
            random.NextBytes(inserted);
            edited.Write(inserted);
            from = at;
        }

        edited.Write(content, from, content.Length - from);
        return edited.ToArray();
    }

    private static async Task<ImportResult> ImportAsync(Store.StoreFixture fixture, string path, bool cutsByContent)
    {
        P2P.Core.Store.PinId pin = await fixture.PinAsync();
        return await new Importer(fixture.Store, fixture.Buffers, new ImportOptions { CutsByContent = cutsByContent, Workers = 2 }).ImportAsync([path], pin, null, CancellationToken.None);
    }

    private static int[] Lengths(byte[] content, int maxBytes)
    {
        var chunker = new FastCdc(maxBytes);
        var lengths = new List<int>();
        for (int at = 0; at < content.Length; at += lengths[^1])
            lengths.Add(chunker.NextLength(content.AsSpan(at)));
        return [.. lengths];
    }

    // the rule as docs/protocol.md words it, with a window summed anew at every place where the running hash cannot have gone wrong
    private static int PlainLength(ReadOnlySpan<byte> rest, int maxBytes)
    {
        int end = Math.Min(rest.Length, maxBytes);
        ulong hash = 0;
        for (int i = FastCdc.MinBytes - 64; i < end; i++)
        {
            hash = unchecked((hash * 2) + BitConverter.ToUInt64(SHA256.HashData(rest.Slice(i, 1)).AsSpan(0, 8)));
            if (i < FastCdc.MinBytes)
                continue;
            int zeros = i < FastCdc.AverageBytes ? 21 : 17;
            if (hash >> (64 - zeros) == 0)
                return i + 1;
        }

        return end;
    }

    /// <summary>A store as a source.</summary>
    internal sealed class StoreSource(P2P.Core.Store.BlockStore store) : IBlockSource
    {
        public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) =>
            await store.ReadAsync(cid, cancellationToken) ?? throw new P2PException(P2PErrorCode.NotFound, $"{cid} is not here");

        public async ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken)
        {
            using BlockBuffer block = await GetAsync(cid, cancellationToken);
            sink.OnBlock(in cid, tag, block.Span);
        }
    }
}
