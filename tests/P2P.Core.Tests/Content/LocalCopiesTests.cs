using P2P.Core.Content;
using P2P.Core.Store;

namespace P2P.Core.Tests.Content;

/// <summary>What this machine has in another file is cloned, or copied, and not fetched.</summary>
[TestClass]
public sealed class LocalCopiesTests
{
    [TestMethod]
    [CloningDisk]
    public async Task A_file_that_is_here_is_cloned_where_the_disk_can()
    {
        using CloningDisk disk = CloningDisk.TryMount()!;
        byte[] big = TestTree.Random(1, 100 << 20), middle = TestTree.Random(2, 200_000);
        TestTree tree = new TestTree().File("big", big).File("sub/middle", middle).File("tiny", "t");
        tree.WriteTo(Path.Combine(disk.Path, "t"));
        await using var shelf = await StoredContentTests.Shelf.OpenAsync(Path.Combine(disk.Path, "data"));
        ImportResult shared = await shelf.ImportAsync(Path.Combine(disk.Path, "t"));
        var asked = new List<Cid>();
        shelf.BeforeDelivery = cid =>
        {
            lock (asked)
                asked.Add(cid);
            return Task.CompletedTask;
        };
        long before = new DriveInfo(disk.Path).AvailableFreeSpace;
        TreeFetchResult result = await shelf.FetchAsync(shelf, shared.Root, Path.Combine(disk.Path, "u"), PinKind.Temporary);
        tree.AssertIsAt(Path.Combine(disk.Path, "u"));
        Assert.AreEqual(big.Length + middle.Length, result.BytesReused);
        Assert.HasCount(1, asked, "only the tiny file was not worth a look");
        Assert.IsLessThan(20L << 20, before - new DriveInfo(disk.Path).AvailableFreeSpace, "the bytes are shared");

        // a copy of its own: writing to one leaves the other
        await using (FileStream copy = File.OpenWrite(Path.Combine(disk.Path, "u/big")))
            copy.Write(new byte[4096]);
        byte[] original = await File.ReadAllBytesAsync(Path.Combine(disk.Path, "t/big"));
        Assert.IsTrue(original.AsSpan().SequenceEqual(big));
    }

    [TestMethod]
    [CloningDisk]
    public async Task A_clone_is_hashed_before_it_counts()
    {
        using CloningDisk disk = CloningDisk.TryMount()!;
        byte[] content = TestTree.Random(1, 8 << 20);
        string source = Path.Combine(disk.Path, "f");
        await File.WriteAllBytesAsync(source, content);
        await using var shelf = await StoredContentTests.Shelf.OpenAsync(Path.Combine(disk.Path, "data"));
        ImportResult shared = await shelf.ImportAsync(source);
        DateTime time = File.GetLastWriteTimeUtc(source);
        await using (FileStream changed = File.OpenWrite(source))
        {
            changed.Position = 3 << 20;
            changed.WriteByte((byte)(content[3 << 20] ^ 1));
        }

        File.SetLastWriteTimeUtc(source, time); // nothing shows that it is not what it was (to 100 ns, which the disk's clock may be finer than)
        await using var blocks = new MemoryBlocks();
        Assert.AreEqual(shared.Root, TestTree.AddFile(blocks, content).Cid);
        await shelf.FetchAsync(blocks, shared.Root, Path.Combine(disk.Path, "g"), PinKind.Temporary);
        byte[] fetched = await File.ReadAllBytesAsync(Path.Combine(disk.Path, "g"));
        Assert.IsTrue(fetched.AsSpan().SequenceEqual(content));
        Assert.IsGreaterThanOrEqualTo(1L << 20, blocks.BytesServed);
    }

    [TestMethod]
    public async Task Where_the_disk_cannot_clone_the_content_arrives_all_the_same()
    {
        using var folder = new TempFolder();
        TestTree tree = new TestTree().File("a", TestTree.Random(1, 3_000_000)).File("b", TestTree.Random(2, 300_000));
        tree.WriteTo(folder["t"]);
        await using var shelf = await StoredContentTests.Shelf.OpenAsync(folder["data"]);
        ImportResult shared = await shelf.ImportAsync(folder["t"]);
        TreeFetchResult result = await shelf.FetchAsync(shelf, shared.Root, folder["u"], PinKind.Temporary);
        tree.AssertIsAt(folder["u"]);
        Assert.AreEqual(shared.Bytes, result.Bytes);
        Assert.HasCount(2, Directory.GetFiles(folder["u"]));
    }

    [TestMethod]
    public async Task The_index_finds_whole_files_by_their_first_block()
    {
        using var folder = new TempFolder();
        byte[] content = TestTree.Random(1, 3_000_000);
        await File.WriteAllBytesAsync(folder["f"], content);
        await File.WriteAllBytesAsync(folder["longer"], [.. content[..(1 << 20)], 1]);
        await using var shelf = await StoredContentTests.Shelf.OpenAsync(folder["data"]);
        ImportResult longer = await shelf.ImportAsync(folder["longer"]);
        Cid first = Cid.OfRaw(content.AsSpan(0, 1 << 20));
        Assert.IsEmpty(shelf.Store.FindWholeFiles(Cid.OfRaw([1]), in first));
        Assert.AreEqual(folder["longer"], shelf.Store.FindWholeFiles(longer.Root, in first).Single().Path);
        ImportResult shared = await shelf.ImportAsync(folder["f"]);
        Assert.AreEqual(folder["f"], shelf.Store.FindWholeFiles(shared.Root, in first).Single().Path, "the same first block, another file");
    }
}
