using Microsoft.Win32.SafeHandles;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

/// <summary>The layout that the native call fills is the runtime's own: compared with what the base library says of the same file.</summary>
[TestClass]
public sealed class FileStatusTests
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("p2p-status-");

    [TestCleanup]
    public void Remove() => _root.Delete(recursive: true);

    [TestMethod]
    public void Size_and_time_agree_with_the_base_library_by_path_and_by_handle()
    {
        string path = Path.Combine(_root.FullName, "ä file");
        File.WriteAllBytes(path, new byte[12345]);
        File.SetLastWriteTimeUtc(path, new DateTime(2021, 2, 3, 4, 5, 6, 789, DateTimeKind.Utc));
        Assert.IsTrue(FileStatus.TryRead(path, out FileIdentity identity));
        FileInfo info = new(path);
        Assert.AreEqual(info.Length, identity.Size);
        Assert.AreEqual((info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks, identity.ModifiedNs / 100);
        Assert.AreNotEqual(0UL, identity.Inode);
        using IDiskFile file = FileSystemDisk.Instance.OpenRead(path);
        Assert.AreEqual(identity, file.GetIdentity());
    }

    [TestMethod]
    public void Two_files_differ_and_a_rename_keeps_the_identity()
    {
        string a = Path.Combine(_root.FullName, "a"), b = Path.Combine(_root.FullName, "b"), c = Path.Combine(_root.FullName, "c");
        File.WriteAllText(a, "x");
        File.WriteAllText(b, "x");
        Assert.IsTrue(FileStatus.TryRead(a, out FileIdentity first));
        Assert.IsTrue(FileStatus.TryRead(b, out FileIdentity second));
        Assert.IsFalse(first.IsSameFile(second));
        File.Move(a, c);
        Assert.IsTrue(FileStatus.TryRead(c, out FileIdentity moved));
        Assert.AreEqual(first, moved);
    }

    [TestMethod]
    public void Only_regular_files_have_an_identity()
    {
        Assert.IsFalse(FileStatus.TryRead(_root.FullName, out _));
        Assert.IsFalse(FileStatus.TryRead(Path.Combine(_root.FullName, "missing"), out _));
        if (OperatingSystem.IsLinux())
            Assert.IsFalse(FileStatus.TryRead("/dev/null", out _));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void What_is_open_must_be_a_regular_file()
    {
        using SafeFileHandle device = File.OpenHandle("/dev/null");
        Assert.ThrowsExactly<IOException>(() => FileStatus.Read(device));
    }
}
