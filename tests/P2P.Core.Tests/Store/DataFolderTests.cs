using System.Diagnostics;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store;

[TestClass]
public sealed class DataFolderTests
{
    private static readonly string[] Mounts =
    [
        "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
        "22 21 0:20 / /home/user/my\\040nfs rw shared:5 - nfs4 server:/x rw",
        "23 22 0:21 / /home/user/my\\040nfs/disk rw - xfs /dev/sdb rw",
        "24 21 0:22 / /mnt/ssh rw - fuse.sshfs host: rw",
        "garbage",
    ];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("p2p-folder-");

    private string DataPath => Path.Combine(_root.FullName, "deep", "data");

    [TestCleanup]
    public void Remove() => _root.Delete(recursive: true);

    [TestMethod]
    public void A_new_folder_is_for_its_owner_only()
    {
        using DataFolder folder = DataFolder.Open(DataPath);
        folder.Lock();
        folder.PrepareIndexFile();
        Assert.AreEqual("1\n", File.ReadAllText(Path.Combine(DataPath, "version")));
        if (OperatingSystem.IsWindows())
            return;
        const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (string path in new[] { DataPath, folder.BlocksPath, folder.TempPath })
            Assert.AreEqual(Folder, File.GetUnixFileMode(path), path);
        foreach (string path in Directory.GetFiles(DataPath))
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path), path);
    }

    [TestMethod]
    public void A_newer_version_is_refused_and_nothing_is_changed()
    {
        Directory.CreateDirectory(DataPath);
        File.WriteAllText(Path.Combine(DataPath, "version"), "2\n");
        P2PException error = Assert.ThrowsExactly<P2PException>(() => DataFolder.Open(DataPath));
        Assert.AreEqual(P2PErrorCode.Store, error.Code);
        StringAssert.Contains(error.Message, "newer version");
        CollectionAssert.AreEqual(new[] { Path.Combine(DataPath, "version") }, Directory.GetFileSystemEntries(DataPath));
        Assert.AreEqual("2\n", File.ReadAllText(Path.Combine(DataPath, "version")));
    }

    [TestMethod]
    [DataRow("one")]
    [DataRow("-1")]
    [DataRow("0")]
    public void A_version_that_is_no_number_is_refused(string text)
    {
        Directory.CreateDirectory(DataPath);
        File.WriteAllText(Path.Combine(DataPath, "version"), text);
        Assert.AreEqual(P2PErrorCode.Store, Assert.ThrowsExactly<P2PException>(() => DataFolder.Open(DataPath)).Code);
    }

    [TestMethod]
    public void A_file_in_place_of_the_folder_is_refused()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(DataPath)!);
        File.WriteAllText(DataPath, "");
        Assert.AreEqual(P2PErrorCode.Store, Assert.ThrowsExactly<P2PException>(() => DataFolder.Open(DataPath)).Code);
    }

    [TestMethod]
    public void The_folder_has_one_owner_and_the_refusal_names_it()
    {
        using DataFolder first = DataFolder.Open(DataPath);
        first.Lock();
        using (DataFolder second = DataFolder.Open(DataPath))
        {
            P2PException error = Assert.ThrowsExactly<P2PException>(second.Lock);
            Assert.AreEqual(P2PErrorCode.InUse, error.Code);
            StringAssert.Contains(error.Message, $"process {Environment.ProcessId} (");
            Assert.IsFalse(second.IsLocked);
        }
        first.Dispose();
        using DataFolder third = DataFolder.Open(DataPath);
        third.Lock();
        Assert.IsTrue(third.IsLocked);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task Another_process_that_holds_the_lock_keeps_us_out_until_it_ends()
    {
        using (DataFolder folder = DataFolder.Open(DataPath))
            folder.Lock();
        ProcessStartInfo start = new("flock") { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (string argument in new[] { "--nonblock", Path.Combine(DataPath, "lock"), "sh", "-c", "echo held; read line" })
            start.ArgumentList.Add(argument);
        using Process holder = Process.Start(start)!;
        try
        {
            Assert.AreEqual("held", await holder.StandardOutput.ReadLineAsync());
            using DataFolder folder = DataFolder.Open(DataPath);
            Assert.AreEqual(P2PErrorCode.InUse, Assert.ThrowsExactly<P2PException>(folder.Lock).Code);
        }
        finally
        {
            holder.StandardInput.Close();
            await holder.WaitForExitAsync();
        }
        using DataFolder free = DataFolder.Open(DataPath);
        free.Lock();
    }

    [TestMethod]
    [DataRow("/home/user/data", null)]
    [DataRow("/home/user/my nfs/data", "nfs4")]
    [DataRow("/home/user/my nfs", "nfs4")]
    [DataRow("/home/user/my nfs2", null)]
    [DataRow("/home/user/my nfs/disk/data", null)]
    [DataRow("/mnt/ssh/a/b", "fuse.sshfs")]
    public void A_network_file_system_is_found_by_the_innermost_mount(string path, string? expected) =>
        Assert.AreEqual(expected, NetworkFileSystem.FindInMounts(Mounts, path));

    [TestMethod]
    [OSCondition(OperatingSystems.Linux | OperatingSystems.OSX)]
    public void A_folder_that_may_not_be_written_is_a_permission_error()
    {
        if (Environment.IsPrivilegedProcess)
            Assert.Inconclusive("root may write everywhere");
        Directory.CreateDirectory(Path.GetDirectoryName(DataPath)!);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.GetDirectoryName(DataPath)!, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.AreEqual(P2PErrorCode.Permission, Assert.ThrowsExactly<P2PException>(() => DataFolder.Open(DataPath)).Code);
    }
}
