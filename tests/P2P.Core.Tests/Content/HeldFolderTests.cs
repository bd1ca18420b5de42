using Microsoft.Win32.SafeHandles;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Whoever swaps folders for links while a fetch writes leads nothing out of it.</summary>
[TestClass]
public sealed class HeldFolderTests
{
    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Nothing_is_reached_through_a_link()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["outside/deep"]);
        Directory.CreateDirectory(folder["root/real/deep"]);
        File.WriteAllText(folder["outside/victim"], "precious");
        File.CreateSymbolicLink(folder["root/link"], folder["outside"]);
        File.CreateSymbolicLink(folder["root/real/link"], "../../outside");
        File.CreateSymbolicLink(folder["root/file"], folder["outside/victim"]);
        using HeldFolder root = HeldFolder.Open(folder["root"]);
        foreach (string through in new[] { "link/new", "link/victim", "real/link/new", "link/deep/new", "file", "../outside/new", "real/../../outside/new" })
        {
            Assert.ThrowsExactly<IOException>(() => root.OpenFile(through, mustBeNew: false).Dispose(), through);
            Assert.IsNull(root.TryOpenToRead(through), through);
        }

        Assert.ThrowsExactly<IOException>(() => root.TryCreateFolder("link/made"));
        Assert.ThrowsExactly<IOException>(() => root.CreateLink("real/link/made", "x"));
        Assert.ThrowsExactly<IOException>(() => root.OpenFolder("link").Dispose());
        Assert.AreEqual(default, root.Look("link/victim"));
        root.Remove("link");
        root.Remove("real");
        CollectionAssert.AreEquivalent(new[] { folder["outside/deep"], folder["outside/victim"] }, Directory.GetFileSystemEntries(folder["outside"]));
        Assert.AreEqual("precious", File.ReadAllText(folder["outside/victim"]));
        Assert.IsFalse(Path.Exists(folder["root/link"]) || Path.Exists(folder["root/real"]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Nor_where_the_kernel_does_not_help()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["outside"]);
        Directory.CreateDirectory(folder["root/a/b"]);
        File.CreateSymbolicLink(folder["root/a/link"], folder["outside"]);
        Assert.AreEqual(0, LinuxCalls.OpenNamedFolder(folder["root"], out SafeFileHandle root));
        using (root)
        {
            int Open(string local)
            {
                int error = LinuxCalls.OpenStepByStep(root, local, LinuxCalls.FileFlags, 0x1A4, out SafeFileHandle opened);
                opened.Dispose();
                return error;
            }

            Assert.AreEqual(0, Open("a/b/file"));
            Assert.IsTrue(File.Exists(folder["root/a/b/file"]));
            Assert.AreNotEqual(0, Open("a/link/file"));
            Assert.AreNotEqual(0, Open("a/none/file"));
            Assert.AreNotEqual(0, Open("a/b/file/file"));
        }

        Assert.IsEmpty(Directory.GetFileSystemEntries(folder["outside"]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void A_tree_deeper_than_files_can_be_open_is_made_and_removed_and_one_beyond_all_paths_is_refused()
    {
        using var folder = new TempFolder();
        using HeldFolder root = HeldFolder.Open(folder.Path);
        string local = "d";
        Assert.IsTrue(root.TryCreateFolder(local));
        while (folder.Path.Length + local.Length + 3 < LinuxCalls.MaxPathBytes)
        {
            local += "/d";
            Assert.IsTrue(root.TryCreateFolder(local));
        }

        Assert.ThrowsExactly<PathTooLongException>(() => root.TryCreateFolder(local + "/d"));
        Assert.ThrowsExactly<PathTooLongException>(() => root.OpenFile(local + "/file", mustBeNew: true).Dispose());
        root.Remove("d");
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void What_is_held_stays_the_same_when_its_path_leads_elsewhere()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["outside"]);
        Directory.CreateDirectory(folder["root"]);
        using HeldFolder root = HeldFolder.Open(folder["root"]);
        Directory.Move(folder["root"], folder["moved"]);
        File.CreateSymbolicLink(folder["root"], folder["outside"]);
        root.TryCreateFolder("sub");
        root.OpenFile("sub/file", mustBeNew: true).Dispose();
        Assert.IsTrue(File.Exists(folder["moved/sub/file"]));
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder["outside"]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void A_file_with_a_second_name_is_not_written()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["victim"], "precious");
        using (System.Diagnostics.Process link = System.Diagnostics.Process.Start("ln", [folder["victim"], folder["name"]]))
            link.WaitForExit();
        using HeldFolder root = HeldFolder.Open(folder.Path);
        Assert.ThrowsExactly<IOException>(() => root.OpenFile("name", mustBeNew: false).Dispose());
        Assert.AreEqual("precious", File.ReadAllText(folder["victim"]));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public async Task A_folder_that_is_swapped_for_a_link_all_the_time_leads_nothing_out()
    {
        using var folder = new TempFolder();
        await using var blocks = new MemoryBlocks();
        var tree = new TestTree();
        for (int i = 0; i < 400; i++)
            tree.File($"sub/f{i:d3}", TestTree.Random(i, 70_000)).File($"sub/deep/f{i:d3}", TestTree.Random(1000 + i, 500));
        Cid root = tree.AddTo(blocks);
        Directory.CreateDirectory(folder["outside/deep"]);
        string part = TreeFetcher.PartPathOf(root, folder["t"]);
        using var stop = new CancellationTokenSource();
        int swaps = 0;
        var swapper = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    Directory.Move(Path.Combine(part, "sub"), Path.Combine(part, "hidden"));
                    File.CreateSymbolicLink(Path.Combine(part, "sub"), folder["outside"]);
                    swaps++;
                    File.Delete(Path.Combine(part, "sub"));
                    Directory.Move(Path.Combine(part, "hidden"), Path.Combine(part, "sub"));
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    Thread.Yield(); // not there yet, or the fetch was in between
                }
            }
        });
        int failures = 0;
        for (int round = 0; round < 12; round++)
        {
            try
            {
                await TreeFetcherTests.FetchAsync(blocks, root, folder["t"]);
                break;
            }
            catch (P2PException error)
            {
                failures++;
                Assert.IsTrue(error.Code is P2PErrorCode.Store or P2PErrorCode.Permission or P2PErrorCode.Exists, error.ToString());
            }
        }

        await stop.CancelAsync();
        await swapper;
        Assert.IsGreaterThan(0, swaps);
        CollectionAssert.AreEqual(new[] { folder["outside/deep"] }, Directory.GetFileSystemEntries(folder["outside"]), $"{failures} fetches failed");
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder["outside/deep"]));
    }
}
