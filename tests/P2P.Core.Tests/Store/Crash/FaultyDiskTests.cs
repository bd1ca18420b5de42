using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>The disk of the crash suite keeps what a disk keeps, and loses what one may lose.</summary>
[TestClass]
public sealed class FaultyDiskTests
{
    private const int Seeds = 300;
    private const int SectorBytes = 512;

    [TestMethod]
    public void Flushed_bytes_outlive_the_power_and_others_in_part()
    {
        byte[] before = Filled(8192, 1), after = Filled(8192, 2);
        HashSet<string> seen = [];
        foreach (FaultyDisk disk in Disks())
        {
            Write(disk, "/a/f", before);
            Flush(disk, "/a/f");
            disk.FlushFolder("/a");
            using (IDiskFile file = disk.OpenWrite("/a/f"))
                file.Write(after, 0);
            byte[] left = ReadAll(disk.Restart(), "/a/f");
            Assert.AreEqual(8192, left.Length);
            int old = 0, garbage = 0;
            foreach (byte[] sector in left.Chunk(SectorBytes))
            {
                if (sector.AsSpan().SequenceEqual(before.AsSpan(0, SectorBytes)))
                    old++;
                else if (!sector.AsSpan().SequenceEqual(after.AsSpan(0, SectorBytes)))
                    garbage++;
            }
            Assert.IsLessThanOrEqualTo(1, garbage, "only the sector at work may be garbage");
            seen.Add(old switch { 0 => "all", 16 => "none", _ => "some" });
        }
        Assert.AreEqual(3, seen.Count, string.Join(", ", seen));
    }

    [TestMethod]
    public void Bytes_that_were_flushed_and_not_written_since_never_change()
    {
        byte[] before = Filled(4096, 1);
        foreach (FaultyDisk disk in Disks())
        {
            Write(disk, "/a/f", before);
            Flush(disk, "/a/f");
            disk.FlushFolder("/a");
            using (IDiskFile file = disk.OpenWrite("/a/f"))
            {
                file.Write(Filled(700, 2), 1000);
                file.Write(Filled(3000, 3), 4096);
            }
            byte[] left = ReadAll(disk.Restart(), "/a/f");
            CollectionAssert.AreEqual(before[..1000], left[..1000]);
            CollectionAssert.AreEqual(before[1700..], left[1700..4096]);
        }
    }

    [TestMethod]
    public void The_length_may_come_without_the_bytes_and_these_are_zeros()
    {
        bool seen = false;
        foreach (FaultyDisk disk in Disks())
        {
            Write(disk, "/a/f", []);
            disk.FlushFolder("/a");
            using (IDiskFile file = disk.OpenWrite("/a/f"))
                file.Write(Filled(4096, 2), 0);
            byte[] left = ReadAll(disk.Restart(), "/a/f");
            seen |= left.Length == 4096 && left.AsSpan().Count((byte)0) >= SectorBytes;
        }
        Assert.IsTrue(seen);
    }

    [TestMethod]
    public void A_name_may_go_until_its_folder_is_flushed_whatever_is_flushed_in_the_file()
    {
        int lost = 0;
        foreach (FaultyDisk disk in Disks())
        {
            Write(disk, "/a/kept", [1]);
            Flush(disk, "/a/kept");
            disk.FlushFolder("/a");
            Write(disk, "/a/new", [2]);
            Flush(disk, "/a/new");
            FaultyDisk after = disk.Restart();
            CollectionAssert.AreEqual(new byte[] { 1 }, ReadAll(after, "/a/kept"));
            if (after.FindFile("/a/new") is null)
                lost++;
            else
                CollectionAssert.AreEqual(new byte[] { 2 }, ReadAll(after, "/a/new"));
        }
        Assert.IsTrue(lost is > 0 and < Seeds, $"{lost}");
    }

    [TestMethod]
    public void A_rename_in_a_folder_happens_or_not_and_one_between_folders_may_happen_by_halves()
    {
        HashSet<(bool Old, bool New)> inFolder = [], between = [];
        foreach (FaultyDisk disk in Disks())
        {
            disk.CreateFolder("/b");
            Write(disk, "/a/x", [1]);
            Write(disk, "/a/y", [2]);
            foreach (string folder in new[] { "/a", "/b", "/" })
                disk.FlushFolder(folder);
            disk.Rename("/a/x", "/a/x2");
            disk.Rename("/a/y", "/b/y");
            FaultyDisk after = disk.Restart();
            inFolder.Add((after.FindFile("/a/x") is not null, after.FindFile("/a/x2") is not null));
            between.Add((after.FindFile("/a/y") is not null, after.FindFile("/b/y") is not null));
        }
        CollectionAssert.AreEquivalent(new[] { (true, false), (false, true) }, inFolder.ToArray());
        Assert.AreEqual(4, between.Count);
    }

    [TestMethod]
    public void The_power_goes_at_the_operation_that_was_chosen_and_nothing_works_behind_it()
    {
        FaultyDisk disk = Disks().First();
        disk.CutPowerAfter(3);
        Write(disk, "/a/f", [1]);
        Assert.IsFalse(disk.IsDead);
        Assert.ThrowsExactly<PowerCutException>(() => Flush(disk, "/a/f"));
        Assert.IsTrue(disk.IsDead);
        Assert.ThrowsExactly<PowerCutException>(() => disk.OpenRead("/a/f"));
        Assert.ThrowsExactly<PowerCutException>(() => disk.Create("/a/g"));
        Assert.IsFalse(disk.TryGetIdentity("/a/f", out _));
    }

    [TestMethod]
    public void What_a_process_that_is_killed_wrote_is_there_for_the_next_and_still_not_flushed()
    {
        bool lost = false;
        foreach (FaultyDisk disk in Disks())
        {
            Write(disk, "/a/f", [1, 2, 3]);
            using (disk.Lock("/a/lock"))
                Assert.ThrowsExactly<IOException>(() => disk.Lock("/a/lock"));
            FaultyDisk next = disk.Kill();
            Assert.IsTrue(disk.IsDead);
            CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, ReadAll(next, "/a/f"));
            lost |= next.Restart().FindFile("/a/f") is null;
        }
        Assert.IsTrue(lost);
    }

    [TestMethod]
    public void A_full_disk_takes_what_fits_and_has_room_again_when_a_file_goes()
    {
        FaultyDisk disk = Disks().First();
        Write(disk, "/a/f", Filled(100, 1));
        disk.FreeBytes = 50;
        IOException error = Assert.ThrowsExactly<IOException>(() => Write(disk, "/a/g", Filled(80, 2)));
        Assert.AreEqual(P2PErrorCode.NoSpace, StoreFailure.FromDisk("write", error).Code);
        CollectionAssert.AreEqual(Filled(50, 2), ReadAll(disk, "/a/g"));
        disk.Delete("/a/f");
        Write(disk, "/a/h", Filled(100, 3));
    }

    [TestMethod]
    public void Failures_come_when_they_are_due_and_end()
    {
        FaultyDisk disk = Disks().First();
        disk.FailAfter(2, 1);
        IOException error = Assert.ThrowsExactly<IOException>(() => Write(disk, "/a/f", [1]));
        Assert.AreEqual(P2PErrorCode.Store, StoreFailure.FromDisk("write", error).Code);
        Write(disk, "/a/g", [1]);
        disk.FailReadAfter(1);
        Assert.ThrowsExactly<IOException>(() => ReadAll(disk, "/a/g"));
        CollectionAssert.AreEqual(new byte[] { 1 }, ReadAll(disk, "/a/g"));
    }

    [TestMethod]
    public void A_flush_that_fails_may_be_forgotten()
    {
        FaultyDisk disk = Disks().First();
        disk.Vices = DiskVices.ForgetsAfterFailedFlush;
        Write(disk, "/a/f", [1]);
        disk.FlushFolder("/a");
        disk.FailAfter(1, 1);
        Assert.ThrowsExactly<IOException>(() => Flush(disk, "/a/f"));
        Flush(disk, "/a/f");
        CollectionAssert.AreEqual(new byte[] { 1 }, ReadAll(disk, "/a/f"));
        CollectionAssert.AreEqual(Array.Empty<byte>(), ReadAll(disk.Restart(), "/a/f"));
    }

    private static IEnumerable<FaultyDisk> Disks()
    {
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            FaultyDisk disk = new(new SeededRandom(seed), new VirtualTime());
            disk.CreateFolder("/a");
            disk.FlushFolder("/");
            yield return disk;
        }
    }

    private static byte[] Filled(int length, byte value)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private static void Write(FaultyDisk disk, string path, byte[] bytes)
    {
        using IDiskFile file = disk.Create(path);
        file.Write(bytes, 0);
    }

    private static void Flush(FaultyDisk disk, string path)
    {
        using IDiskFile file = disk.OpenWrite(path);
        file.Flush();
    }

    private static byte[] ReadAll(FaultyDisk disk, string path)
    {
        using IDiskFile file = disk.OpenRead(path);
        byte[] bytes = new byte[file.GetIdentity().Size];
        Assert.AreEqual(bytes.Length, file.Read(bytes, 0));
        return bytes;
    }
}
