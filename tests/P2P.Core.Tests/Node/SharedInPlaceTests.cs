using System.Security.Cryptography;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: whatever happens to shared files, a fetcher gets what was shared or nothing, and the rest of the share. Method: real nodes on loopback.</summary>
[TestClass]
public sealed class SharedInPlaceTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-inplace-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task Files_that_were_moved_truncated_replaced_or_edited_are_not_sent_and_the_rest_is()
    {
        string[] damaged = ["edited", "moved", "replaced", "truncated"];
        var contents = damaged.Append("sound").ToDictionary(name => name, name => Write("t/" + name, (2 * MiB) + name.Length));
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("t"));
        await foreach (Share listed in sharer.GetSharesAsync())
            Assert.AreEqual(0, listed.ChangedFileCount);

        await using (FileStream file = File.OpenWrite(In("t/edited")))
            await file.WriteAsync(new[] { (byte)~contents["edited"][0] });
        File.Move(In("t/moved"), In("away"));
        File.Delete(In("t/replaced"));
        Write("t/replaced", (2 * MiB) + "replaced".Length);
        await using (FileStream file = File.OpenWrite(In("t/truncated")))
            file.SetLength(MiB);

        await Task.WhenAll(damaged.Select(async name =>
        {
            P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchAsync(fetcher, share, sharer, name, StallTimeout: 3));
            Assert.IsTrue(error.Code is P2PErrorCode.NotFound or P2PErrorCode.Unreachable, $"{name}: {error.Code}");
            Assert.IsFalse(File.Exists(In("got-" + name)), name);
        }));
        await FetchAsync(fetcher, share, sharer, "sound", StallTimeout: 20);
        CollectionAssert.AreEqual(contents["sound"], await File.ReadAllBytesAsync(In("got-sound")));

        Share now = (await sharer.GetSharesAsync().ToListAsync()).Single();
        CollectionAssert.AreEqual(damaged.Select(name => In("t/" + name)).ToArray(), now.ChangedFiles.Select(file => file.Path).ToArray());
        CollectionAssert.AreEqual(
            new[] { FileChange.Changed, FileChange.Missing, FileChange.Changed, FileChange.Changed }, now.ChangedFiles.Select(file => file.Change).ToArray());
        string[] warnings = [.. sharer.Status.Warnings.Where(warning => warning.Code == "source_changed").Select(warning => warning.Message)];
        Assert.HasCount(damaged.Length, warnings);
        foreach (string name in damaged)
            StringAssert.Contains(warnings.Single(warning => warning.Contains(In("t/" + name), StringComparison.Ordinal)), name == "moved" ? "was moved or deleted" : "was changed");

        File.Move(In("away"), In("t/moved"));
        await FetchAsync(fetcher, share, sharer, "moved", StallTimeout: 20);
        CollectionAssert.AreEqual(contents["moved"], await File.ReadAllBytesAsync(In("got-moved")));
        Assert.AreEqual(damaged.Length - 1, (await sharer.GetSharesAsync().ToListAsync()).Single().ChangedFileCount);
    }

    [TestMethod]
    public async Task The_same_content_in_two_shares_is_served_when_one_place_goes()
    {
        byte[] content = Write("first/film", (3 * MiB) + 1);
        Directory.CreateDirectory(In("second"));
        File.Copy(In("first/film"), In("second/film"));
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share first = await sharer.ShareAsync(In("first"));
        Share second = await sharer.ShareAsync(In("second"));
        Assert.AreEqual(first.Root, second.Root);
        Assert.AreEqual(content.Length, second.BytesAlreadyThere);
        Directory.Delete(In("first"), recursive: true);
        await fetcher.FetchAsync(first.Link, In("copy"));
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("copy/film")));
    }

    [TestMethod]
    public async Task Sharing_again_after_an_edit_serves_what_is_there_now_and_names_the_old_share_as_changed()
    {
        Write("t/same", 2 * MiB);
        Write("t/edited", 2 * MiB);
        foreach (string name in new[] { "t/same", "t/edited" })
            File.SetLastWriteTimeUtc(In(name), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share before = await sharer.ShareAsync(In("t"));
        byte[] edited = Write("t/edited", (2 * MiB) + 1);
        Share after = await sharer.ShareAsync(In("t"));
        Assert.AreNotEqual(before.Root, after.Root);
        Assert.AreEqual(2 * MiB, after.BytesAlreadyThere, "the other file was not read again");
        await fetcher.FetchAsync(after.Link, In("copy"));
        CollectionAssert.AreEqual(edited, await File.ReadAllBytesAsync(In("copy/edited")));

        List<Share> shares = await sharer.GetSharesAsync().ToListAsync();
        CollectionAssert.AreEqual(new[] { In("t/edited") }, shares.Single(share => share.Root == before.Root).ChangedFiles.Select(file => file.Path).ToArray());
        Assert.AreEqual(0, shares.Single(share => share.Root == after.Root).ChangedFileCount);
    }

    [TestMethod]
    public async Task Several_paths_are_one_share_that_knows_where_its_parts_lie()
    {
        Write("x/one", 1000);
        Write("y/two", 1000);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync([In("x"), In("y/two")], new ShareOptions { Exclude = ["x/none"] });
        Assert.IsNull(share.Path);
        File.Delete(In("y/two"));
        await sharer.StopAsync();
        await sharer.StartAsync();
        Share listed = (await sharer.GetSharesAsync().ToListAsync()).Single();
        CollectionAssert.AreEqual(new[] { In("x"), In("y/two") }, listed.Paths.ToArray());
        Assert.AreEqual(new ChangedFile(In("y/two"), FileChange.Missing), listed.ChangedFiles.Single());
    }

    [TestMethod]
    public async Task A_share_cut_by_content_with_permissions_is_fetched_like_any_other()
    {
        byte[] content = Write("t/film", 5 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("t"), new ShareOptions { Chunker = Chunker.FastCdc, PreserveMetadata = true });
        await fetcher.FetchAsync(share.Link, In("copy"));
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("copy/film")));
        SharePreview preview = await P2PNode.PreviewShareAsync([In("t")], new ShareOptions { Chunker = Chunker.FastCdc, PreserveMetadata = true });
        Assert.AreEqual(share.Root, preview.Root);
        Assert.AreEqual(share.Blocks, preview.Blocks);
    }

    [TestMethod]
    public async Task A_private_share_may_be_cut_by_content_and_keep_permissions_too()
    {
        byte[] large = Write("t/film", 3 * MiB), small = Write("t/note", 100), middle = Write("t/song", 900_000);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true, Chunker = Chunker.FastCdc, PreserveMetadata = true });
        await fetcher.FetchAsync(share.Link, In("copy"));
        CollectionAssert.AreEqual(large, await File.ReadAllBytesAsync(In("copy/film")));
        CollectionAssert.AreEqual(middle, await File.ReadAllBytesAsync(In("copy/song")));
        CollectionAssert.AreEqual(small, await File.ReadAllBytesAsync(In("copy/note")));
        File.Delete(In("t/song"));
        Assert.AreEqual(new ChangedFile(In("t/song"), FileChange.Missing), (await sharer.GetSharesAsync().ToListAsync()).Single().ChangedFiles.Single());
    }

    [TestMethod]
    public async Task Whoever_seeds_a_version_cut_by_content_fetches_only_what_the_next_one_adds()
    {
        byte[] first = Write("film", 16 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        var byContent = new ShareOptions { Chunker = Chunker.FastCdc };
        await fetcher.FetchAsync((await sharer.ShareAsync(In("film"), byContent)).Link, In("one"), new FetchOptions { Seed = true });

        byte[] second = [.. first.AsSpan(0, 5_000_000), .. RandomNumberGenerator.GetBytes(1024), .. first.AsSpan(5_000_000)];
        await File.WriteAllBytesAsync(In("next"), second);
        Share next = await sharer.ShareAsync(In("next"), byContent);
        Assert.IsGreaterThan(14 * MiB, next.BytesAlreadyThere);
        FetchResult result = await fetcher.FetchAsync(next.Link, In("two"));
        CollectionAssert.AreEqual(second, await File.ReadAllBytesAsync(In("two")));
        Assert.IsLessThan(2.5 * MiB, result.BytesByPeer[sharer.Id]);
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task Permissions_and_times_that_were_kept_come_with_the_copy()
    {
        Write("t/sub/run.sh", 100);
        Write("t/sub/film", (2 * MiB) + 1);
        string[] names = ["", "sub", "sub/run.sh", "sub/film"];
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(In("t/sub/run.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            File.SetUnixFileMode(In("t/sub/film"), UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherWrite);
            File.SetUnixFileMode(In("t/sub"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        foreach (string name in names.Reverse())
            File.SetLastWriteTimeUtc(In("t/" + name), new DateTime(2019, 1, 1 + name.Length, 2, 3, 4, 567, DateTimeKind.Utc));
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("t"), new ShareOptions { PreserveMetadata = true });
        await fetcher.FetchAsync(share.Link, In("copy"));
        foreach (string name in names)
        {
            Assert.AreEqual(File.GetLastWriteTimeUtc(In("t/" + name)), File.GetLastWriteTimeUtc(In("copy/" + name)), name);
            if (!OperatingSystem.IsWindows())
                Assert.AreEqual(File.GetUnixFileMode(In("t/" + name)), File.GetUnixFileMode(In("copy/" + name)), name);
        }

        Assert.AreEqual(share.Root, (await fetcher.ShareAsync(In("copy"), new ShareOptions { PreserveMetadata = true })).Root, "the copy is the same content in every respect");
    }

    private async Task FetchAsync(P2PNode fetcher, Share share, P2PNode sharer, string name, int StallTimeout) =>
        await fetcher.FetchAsync(
            ShareLink.Parse($"ipfs://{share.Root}/{name}"),
            In("got-" + name),
            new FetchOptions { ExtraPeers = [Multiaddress.Parse($"{sharer.Status.Addresses[0]}/p2p/{sharer.Id}")], StallTimeout = TimeSpan.FromSeconds(StallTimeout) });

    private string In(string name) => Path.Combine(_folder, name);

    private Task<P2PNode> StartAsync(string name) => P2PNode.StartAsync(P2PNodeOptions.Loopback(In("data-" + name)));

    private byte[] Write(string name, int bytes)
    {
        byte[] content = RandomNumberGenerator.GetBytes(bytes);
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllBytes(In(name), content);
        return content;
    }
}
