using P2P.Core.Content;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>Permissions and times that content carries are given to what is written, within reason.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class FileMetadataTests
{
    private static readonly DateTime Old = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);

    [TestMethod]
    public async Task Files_and_folders_get_their_mode_and_time()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Folder(blocks, 0x1ED, Old.AddDays(3), // 0755
            ("script", File(blocks, "#!", 0x1ED, Old)),
            ("secret", File(blocks, "s", 0x100, Old.AddDays(1))), // 0400
            ("setuid", File(blocks, "x", 0xFFF, Old)), // 07777
            ("plain", blocks.AddRaw("plain"u8)),
            ("locked", Folder(blocks, 0x16D, Old.AddDays(2), ("inside", File(blocks, "i", null, Old))))); // 0555
        TreeFetchResult result = await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        Assert.AreEqual(5, result.Files);
        AssertIs(folder["t"], 0x1ED, Old.AddDays(3));
        AssertIs(folder["t/script"], 0x1ED, Old);
        AssertIs(folder["t/secret"], 0x100, Old.AddDays(1));
        AssertIs(folder["t/setuid"], 0x1FF, Old);
        AssertIs(folder["t/locked"], 0x16D, Old.AddDays(2));
        AssertIs(folder["t/locked/inside"], (int)TargetDisk.OrdinaryModeOf(isFolder: false), Old);
        Assert.AreEqual(TargetDisk.OrdinaryModeOf(isFolder: false), System.IO.File.GetUnixFileMode(folder["t/plain"]));
        Assert.IsGreaterThan(Old.AddYears(10), System.IO.File.GetLastWriteTimeUtc(folder["t/plain"]));
        Assert.IsTrue((await TreeFetcherTests.FetchAsync(blocks, root, folder["t"])).AlreadyThere);
        System.IO.File.SetUnixFileMode(folder["t/locked"], (UnixFileMode)0x1ED);
    }

    [TestMethod]
    public async Task A_single_file_gets_them_too()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        await TreeFetcherTests.FetchAsync(blocks, File(blocks, "content", 0x1C0, Old), folder["f"]);
        AssertIs(folder["f"], 0x1C0, Old);
        Assert.AreEqual("content", await System.IO.File.ReadAllTextAsync(folder["f"]));
    }

    [TestMethod]
    [DataRow(long.MinValue, -2147483648L)]
    [DataRow(-2147483649L, -2147483648L)]
    [DataRow(-1L, -1L)]
    [DataRow(0L, 0L)]
    [DataRow(15_032_385_536L, 15_032_385_535L)]
    [DataRow(long.MaxValue, 15_032_385_535L)]
    public void Times_outside_of_what_disks_hold_are_moved_to_the_nearest(long seconds, long expected)
    {
        FileTime time = FileTime.From(new UnixFsTime(seconds, 999_999_999));
        Assert.AreEqual(expected, time.Seconds);
        Assert.AreEqual(expected == seconds ? 999_999_999 : 0, time.Nanoseconds);
        Assert.IsInRange(1900, 2447, time.ToDateTime().Year);
    }

    [TestMethod]
    public async Task Nanoseconds_are_kept()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid file = blocks.AddNode(DagPbCodec.Encode([], new UnixFsData(UnixFsType.File) { Data = [1], FileBytes = 1, ModifiedAt = new UnixFsTime(1_000_000_000, 123_456_789) }.Encode()));
        await TreeFetcherTests.FetchAsync(blocks, file, folder["f"]);
        Assert.IsTrue(P2P.Core.Store.FileSystemDisk.Instance.TryGetIdentity(folder["f"], out P2P.Core.Store.FileIdentity identity));
        Assert.AreEqual(1_000_000_000_123_456_789L, identity.ModifiedNs);
    }

    [TestMethod]
    public async Task A_fetch_goes_on_although_files_and_folders_may_not_be_written_any_more()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid big = TestTree.AddFile(blocks, TestTree.Random(1, 8 << 20)).Cid;
        Cid root = Folder(blocks, null, null, ("a", Folder(blocks, 0x140, Old, ("read-only", File(blocks, "r", 0x100, Old)))), ("b", big)); // 0500
        int left = 4;
        using var stop = new CancellationTokenSource();
        blocks.OnDeliver = cid =>
        {
            if (cid.Codec == Cid.RawCodec && Interlocked.Decrement(ref left) == 0)
                stop.Cancel();
        };
        await Assert.ThrowsAsync<OperationCanceledException>(() => TreeFetcherTests.NewFetcher(blocks, new TreeFetchOptions { Workers = 2 }).FetchAsync(root, null, folder["t"], default, stop.Token));
        blocks.OnDeliver = null;
        string part = TreeFetcher.PartPathOf(root, folder["t"]);
        System.IO.File.SetUnixFileMode(Path.Combine(part, "a"), (UnixFileMode)0x140);
        System.IO.File.SetUnixFileMode(part, (UnixFileMode)0x140);
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        AssertIs(folder["t/a"], 0x140, Old);
        AssertIs(folder["t/a/read-only"], 0x100, Old);
        System.IO.File.SetUnixFileMode(folder["t/a"], (UnixFileMode)0x1ED);
    }

    [TestMethod]
    public async Task Folders_of_the_users_own_stay_as_they_are_when_content_is_merged_into_them()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        Cid root = Folder(blocks, 0x16D, Old, ("mine", Folder(blocks, 0x16D, Old, ("x", File(blocks, "x", null, Old)))), ("new", Folder(blocks, 0x16D, Old, ("y", File(blocks, "y", 0x120, Old)))));
        Directory.CreateDirectory(folder["t/mine"], (UnixFileMode)0x1C0);
        System.IO.File.SetUnixFileMode(folder["t"], (UnixFileMode)0x1C0);
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        Assert.AreEqual((UnixFileMode)0x1C0, System.IO.File.GetUnixFileMode(folder["t"]));
        Assert.AreEqual((UnixFileMode)0x1C0, System.IO.File.GetUnixFileMode(folder["t/mine"]));
        AssertIs(folder["t/new"], 0x16D, Old);
        AssertIs(folder["t/new/y"], 0x120, Old);
        System.IO.File.SetUnixFileMode(folder["t/new"], (UnixFileMode)0x1ED);
    }

    [TestMethod]
    [Vectors]
    public async Task Content_of_another_program_keeps_its_modes_and_times()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        string car = Vectors.Path("unixfs", "boxo", "unixfs-dir-with-mode-mtime.car");
        Cid root = (await CarFixture.LoadAsync(car, blocks))[0];
        var loader = new NodeLoader(blocks, null);
        int checkedEntries = 0;
        await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
        await using var walk = new PlacedWalk(new TreeWalk(loader, root, 1000, CancellationToken.None), TargetSystem.Linux);
        while (await walk.MoveNextAsync())
        {
            if (walk.Current.Step is not (TreeStep.File or TreeStep.EnterFolder) || walk.Current.Node?.Data is not { } data || (data.Mode is null && data.ModifiedAt is null))
                continue;
            string place = Path.Combine(folder["t"], walk.Local);
            if (data.Mode is { } mode)
                Assert.AreEqual((UnixFileMode)(mode & 0x1FF), System.IO.File.GetUnixFileMode(place), walk.Local);
            if (data.ModifiedAt is { } time)
                Assert.AreEqual(time.Seconds, new DateTimeOffset(System.IO.File.GetLastWriteTimeUtc(place)).ToUnixTimeSeconds(), walk.Local);
            checkedEntries++;
        }

        Assert.IsGreaterThan(0, checkedEntries);
    }

    private static Cid File(MemoryBlocks blocks, string content, uint? mode, DateTime? time)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(content);
        return blocks.AddNode(DagPbCodec.Encode([], new UnixFsData(UnixFsType.File) { Data = bytes, FileBytes = (ulong)bytes.Length, Mode = mode, ModifiedAt = Time(time) }.Encode()));
    }

    private static Cid Folder(MemoryBlocks blocks, uint? mode, DateTime? time, params (string Name, Cid Cid)[] entries) => blocks.AddNode(DagPbCodec.Encode(
        [.. entries.OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => new DagPbLink(entry.Cid, System.Text.Encoding.UTF8.GetBytes(entry.Name), 100))],
        new UnixFsData(UnixFsType.Directory) { Mode = mode, ModifiedAt = Time(time) }.Encode()));

    private static UnixFsTime? Time(DateTime? time) => time is { } moment ? new UnixFsTime(new DateTimeOffset(moment).ToUnixTimeSeconds(), null) : null;

    private static void AssertIs(string path, int mode, DateTime time)
    {
        Assert.AreEqual((UnixFileMode)mode, System.IO.File.GetUnixFileMode(path), path);
        Assert.AreEqual(time, Directory.GetLastWriteTimeUtc(path), path);
    }
}
