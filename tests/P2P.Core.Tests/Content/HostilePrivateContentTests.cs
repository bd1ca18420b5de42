using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Content;

/// <summary>What who made a private share can put into it, having the key: every contradiction ends as content that does not verify, and nothing is written as done.</summary>
[TestClass]
public sealed class HostilePrivateContentTests : IAsyncDisposable
{
    private const int SealedBytes = 304; // of anything up to 253 bytes

    private readonly BlockSealer _sealer = new(new byte[BlockSealer.KeyBytes]);
    private readonly MemoryBlocks _blocks = new();
    private readonly TempFolder _folder = new();

    public async ValueTask DisposeAsync()
    {
        await _blocks.DisposeAsync();
        _sealer.Dispose();
        _folder.Dispose();
    }

    [TestMethod]
    public async Task A_sound_share_made_by_hand_is_fetched()
    {
        await FetchAsync(Folder(Entry("f", Leaf("hello"), 6)));
        Assert.AreEqual("hello", await File.ReadAllTextAsync(_folder["out"]));
    }

    [TestMethod]
    public async Task A_root_that_is_not_a_folder_of_one_entry_is_refused()
    {
        await RefusedAsync("root of a private share", Folder());
        await RefusedAsync("root of a private share", Folder(Entry("a", Leaf("1"), 2), Entry("b", Leaf("2"), 2)));
        await RefusedAsync("root of a private share", Node(new UnixFsData(UnixFsType.File) { Data = [1], FileBytes = 1 }));
        await RefusedAsync("root of a private share", Folder(Entry("..", Leaf("1"), 2)));
        await RefusedAsync("promises a node", Leaf("1"));
        await RefusedAsync("not that of a private share", Cid.OfDagPb([1]));
    }

    [TestMethod]
    public async Task Hints_must_be_there_fit_and_be_true()
    {
        Cid leaf = Leaf("hello"), empty = Folder();
        await RefusedAsync("does not say", Node(new UnixFsData(UnixFsType.Directory), new DagPbLink(leaf, [.. "f"u8], SealedBytes)));
        await RefusedAsync("does not say", Node(new UnixFsData(UnixFsType.Directory) { LeafHints = [] }, new DagPbLink(leaf, [.. "f"u8], SealedBytes)));
        await RefusedAsync("more than it links to", Node(new UnixFsData(UnixFsType.Directory) { LeafHints = [6, 6] }, new DagPbLink(leaf, [.. "f"u8], SealedBytes)));
        await RefusedAsync("does not say", Node(new UnixFsData(UnixFsType.Directory) { LeafHints = [0x86, 0] }, new DagPbLink(leaf, [.. "f"u8], SealedBytes)));
        await RefusedAsync("does not say", Folder(Entry("f", leaf, 6) with { Bytes = 320 }));
        await RefusedAsync("does not say", Folder(Entry("f", leaf, BlockSealer.MaxLeafBytes + 2UL)));
        await RefusedAsync("promises a node", Folder(Entry("f", leaf, 0)));
        await RefusedAsync("promises bytes", Folder(Entry("f", empty, 6)));
        await RefusedAsync("claims 6", Folder(Entry("f", leaf, 7)));
        await RefusedAsync("claims 6", Folder(Entry("d", Folder(Entry("f", leaf, 7)), 0)));
    }

    [TestMethod]
    public async Task Links_name_sealed_blocks_only()
    {
        Cid leaf = Leaf("hello");
        byte[] inline = Multihash.Create(Multihash.Identity, "hello"u8), other = Multihash.Create(Multihash.Sha2_512, SHA512.HashData("hello"u8));
        foreach (Cid cid in (Cid[])[leaf.WithCodec(Cid.DagPbCodec), Of(inline), Of(other), KnownBlocks.EmptyRaw])
        {
            await RefusedAsync("no private share consists of", Folder(Entry("f", cid, 6)));
            await RefusedAsync("no private share consists of", Folder(Entry("f", FileOf((cid, 5, SealedBytes)), 0)));
        }

        static Cid Of(byte[] multihash) => Cid.TryCreate(1, Cid.RawCodec, multihash, out Cid cid) ? cid : throw new InvalidOperationException();
    }

    [TestMethod]
    public async Task A_file_says_truly_which_of_its_parts_are_leaves()
    {
        Cid hello = Leaf("hello"), world = Leaf("world");
        Cid sound = FileOf((hello, 5, SealedBytes), (world, 5, SealedBytes));
        await FetchAsync(Folder(Entry("f", sound, 0)));
        Assert.AreEqual("helloworld", await File.ReadAllTextAsync(_folder["out"]));
        File.Delete(_folder["out"]);

        await RefusedAsync("promises a node", Folder(Entry("f", FileOf((hello, 5, SealedBytes), (world, 5, SealedBytes + 1)), 0)));
        await RefusedAsync("claims 6", Folder(Entry("f", FileOf((hello, 5, SealedBytes), (world, 6, SealedBytes)), 0)));
        await RefusedAsync("promises bytes", Folder(Entry("f", FileOf((hello, 5, SealedBytes), (sound, 10, SealedBytes)), 0)));
        await RefusedAsync("claims", Folder(Entry("f", FileOf((hello, 5, SealedBytes), (sound, 11, 1000)), 0)));
    }

    [TestMethod]
    public async Task A_block_sealed_with_another_key_is_refused_wherever_it_stands()
    {
        using var other = new BlockSealer([.. Enumerable.Repeat((byte)7, BlockSealer.KeyBytes)]);
        Cid foreign = Put(other, Cid.RawCodec, "hello"u8);
        await RefusedAsync("key", Folder(Entry("f", foreign, 6)));
        await RefusedAsync("key", Folder(Entry("f", FileOf((Leaf("hello"), 5, SealedBytes), (foreign, 5, SealedBytes)), 0)));
        await RefusedAsync("key", Folder(Entry("f", Put(other, Cid.DagPbCodec, [0x0A, 0x02, 0x08, 0x01]), 0)));
        await RefusedAsync("key", _blocks.AddRaw(new byte[SealedBytes]));
        await RefusedAsync("not as long", _blocks.AddRaw(new byte[100]));
    }

    private async Task<TreeFetchResult> FetchAsync(Cid root)
    {
        var options = new TreeFetchOptions { Workers = 2, Form = new PrivateForm(_sealer, _blocks.Buffers) };
        return await new TreeFetcher(_blocks, null, _blocks.Buffers, options, NullLogger.Instance).FetchAsync(root, null, _folder["out"], default, CancellationToken.None);
    }

    private async Task RefusedAsync(string reason, Cid root)
    {
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(root));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code, error.Message);
        Assert.Contains(reason, error.Message);
        Assert.IsFalse(Path.Exists(_folder["out"]));
        foreach (string left in Directory.EnumerateFileSystemEntries(_folder.Path, ".p2p-*"))
        {
            if (Directory.Exists(left))
                Directory.Delete(left, recursive: true);
            else
                File.Delete(left);
        }

        Assert.AreEqual(0, _blocks.Buffers.RentedCount, string.Join(", ", _blocks.Buffers.DescribeRented()));
    }

    private Cid Put(BlockSealer sealer, ulong codec, ReadOnlySpan<byte> data)
    {
        byte[] block = new byte[BlockSealer.SealedBytes(codec, data.Length)];
        sealer.Seal(codec, data, block);
        return _blocks.AddRaw(block);
    }

    private Cid Leaf(string text) => Put(_sealer, Cid.RawCodec, System.Text.Encoding.UTF8.GetBytes(text));

    private Cid Node(UnixFsData data, params DagPbLink[] links) => Put(_sealer, Cid.DagPbCodec, DagPbCodec.Encode(links, data.Encode()));

    private static Item Entry(string name, Cid cid, ulong hint) =>
        new(name, cid, hint, hint is > 0 and <= BlockSealer.MaxLeafBytes ? (ulong)BlockSealer.SealedBytes(Cid.RawCodec, (int)hint - 1) : 1000);

    private Cid Folder(params Item[] entries)
    {
        byte[] hints = new byte[entries.Length * UVarint.MaxBytes];
        int length = 0;
        foreach (Item entry in entries)
            length += UVarint.Write(hints.AsSpan(length), entry.Hint);
        return Node(
            new UnixFsData(UnixFsType.Directory) { LeafHints = hints[..length] },
            [.. entries.Select(entry => new DagPbLink(entry.Cid, System.Text.Encoding.UTF8.GetBytes(entry.Name), entry.Bytes))]);
    }

    private Cid FileOf(params (Cid Cid, ulong Bytes, ulong TreeBytes)[] parts) => Node(
        new UnixFsData(UnixFsType.File) { FileBytes = (ulong)parts.Sum(part => (long)part.Bytes), BlockBytes = [.. parts.Select(part => part.Bytes)] },
        [.. parts.Select(part => new DagPbLink(part.Cid, [], part.TreeBytes))]);

    private sealed record Item(string Name, Cid Cid, ulong Hint, ulong Bytes);
}
