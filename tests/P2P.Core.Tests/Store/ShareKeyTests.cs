using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Identity;
using P2P.Core.Store;
using P2P.Core.Tests.Content;

namespace P2P.Core.Tests.Store;

/// <summary>Keys of private shares in the index: one number each, kept for as long as a pin or a file needs them.</summary>
[TestClass]
public sealed class ShareKeyTests
{
    [TestMethod]
    public async Task A_key_has_one_number_and_goes_with_what_needs_it()
    {
        using var folder = new TempFolder();
        using var identity = IdentityKey.FromSeed(new byte[32]);
        using var wrap = new ShareKeyWrap(identity);
        byte[] first = wrap.Wrap(new byte[32]), second = wrap.Wrap([.. Enumerable.Repeat((byte)1, 32)]);
        await using (BlockStore store = await OpenAsync(folder, wrap))
        {
            PinId pin = await store.AddPinAsync(new Pin { Kind = PinKind.Shared, WrappedKey = first }, CancellationToken.None);
            long number = await store.AddShareKeyAsync(first, CancellationToken.None);
            Assert.AreEqual(number, await store.AddShareKeyAsync(first, CancellationToken.None));
            long other = await store.AddShareKeyAsync(second, CancellationToken.None);
            Assert.AreNotEqual(number, other);

            await store.CollectGarbageAsync(CancellationToken.None);
            Assert.AreEqual(number, await store.AddShareKeyAsync(first, CancellationToken.None), "its pin keeps it");
            long again = await store.AddShareKeyAsync(second, CancellationToken.None);
            Assert.AreNotEqual(other, again, "nothing kept it, and a number is not used twice");
            await store.RemovePinAsync(pin, CancellationToken.None);
        }

        await using (BlockStore later = await OpenAsync(folder, wrap))
            await later.CollectGarbageAsync(CancellationToken.None);
        using IndexConnection index = IndexConnection.Open(folder["data/index.db"], null, 1 << 20);
        Assert.AreEqual(0, index.Scalar("SELECT count(*) FROM share_keys"));
    }

    [TestMethod]
    public async Task A_block_is_sealed_again_at_any_place_of_a_file()
    {
        using var folder = new TempFolder();
        using var identity = IdentityKey.FromSeed(new byte[32]);
        using var wrap = new ShareKeyWrap(identity);
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        byte[] content = TestTree.Random(3, 200_000);
        await File.WriteAllBytesAsync(folder["f"], content);
        Assert.IsTrue(FileSystemDisk.Instance.TryGetIdentity(folder["f"], out FileIdentity file));
        await using BlockStore store = await OpenAsync(folder, wrap);
        PinId pin = await store.AddPinAsync(new Pin { Kind = PinKind.Shared, WrappedKey = wrap.Wrap(key) }, CancellationToken.None);
        long number = await store.AddShareKeyAsync(wrap.Wrap(key), CancellationToken.None);
        using var sealer = new BlockSealer(key);
        var blocks = new Dictionary<Cid, byte[]>();
        using (StoreBatch batch = store.BeginBatch(pin))
        {
            FileId id = batch.AddFile(folder["f"], file, number).Id;
            foreach ((int offset, int length) in ((int, int)[])[(0, 0), (0, 1), (17, 255), (4096, 256), (99_999, 65_536), (100, 199_900)])
            {
                byte[] block = new byte[BlockSealer.SealedBytes(Cid.RawCodec, length)];
                sealer.Seal(Cid.RawCodec, content.AsSpan(offset, length), block);
                Cid cid = Cid.OfRaw(block);
                blocks[cid] = block;
                batch.AddReference(in cid, id, offset, length, isSealed: true);
            }

            await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
        }

        foreach ((Cid cid, byte[] block) in blocks)
        {
            Assert.AreEqual(block.Length, store.SizeOf(in cid));
            foreach (BlockReadPurpose purpose in Enum.GetValues<BlockReadPurpose>())
            {
                Assert.IsTrue(store.TryOpenBlock(in cid, purpose, out StoredBlock opened));
                using (opened)
                {
                    byte[] read = new byte[block.Length];
                    Assert.AreEqual(read.Length, opened.Read(read, 0));
                    CollectionAssert.AreEqual(block, read);
                }
            }
        }
    }

    private static Task<BlockStore> OpenAsync(TempFolder folder, ShareKeyWrap wrap) =>
        BlockStore.OpenAsync(folder["data"], new StoreOptions { ShareKeys = wrap }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
}
