using System.Security.Cryptography;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: what api.md promises of the facade. Method: real nodes on loopback, each with a folder of its own.</summary>
[TestClass]
public sealed class P2PNodeTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-node-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task Five_lines_share_and_fetch()
    {
        byte[] content = Write("film.bin", (3 * MiB) + 17);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("film.bin"));
        await using P2PNode fetcher = await StartAsync("b");

        FetchResult result = await fetcher.FetchAsync(ShareLink.Parse(share.Link.ToUriString()), In("copy.bin"));

        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("copy.bin")));
        Assert.AreEqual(content.Length, result.Bytes);
        Assert.AreEqual(0, result.BytesReused);
        Assert.AreEqual(1, result.Files);
        Assert.IsGreaterThanOrEqualTo((long)content.Length, result.BytesByPeer[sharer.Id]);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder, ".p2p-*"), "no partial file stays behind");
    }

    [TestMethod]
    public async Task A_fetched_file_is_not_served_unless_seeded()
    {
        byte[] content = Write("film.bin", 2 * MiB);
        await using P2PNode first = await StartAsync("b");
        await using P2PNode seeder = await StartAsync("c");
        await using P2PNode asker = await StartAsync("d");
        Share share;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            share = await sharer.ShareAsync(In("film.bin"));
            await first.FetchAsync(share.Link, In("b.bin"));
            await seeder.FetchAsync(share.Link, In("c.bin"), new FetchOptions { Seed = true });
        }

        var bare = ShareLink.Parse(share.Root.ToString());
        P2PException refused = await Assert.ThrowsExactlyAsync<P2PException>(() => asker.FetchAsync(
            bare, In("d.bin"), new FetchOptions { ExtraPeers = [AddressOf(first)], StallTimeout = TimeSpan.FromSeconds(2) }));
        Assert.AreEqual(P2PErrorCode.NotFound, refused.Code);

        await asker.FetchAsync(bare, In("d.bin"), new FetchOptions { ExtraPeers = [AddressOf(seeder)] });
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("d.bin")));
    }

    [TestMethod]
    public async Task Two_providers_share_the_work()
    {
        byte[] content = Write("film.bin", 64 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode seeder = await StartAsync("b");
        await using P2PNode fetcher = await StartAsync("c");
        Share share = await sharer.ShareAsync(In("film.bin"));
        await seeder.FetchAsync(share.Link, In("b.bin"), new FetchOptions { Seed = true });

        FetchResult result = await fetcher.FetchAsync(share.Link, In("c.bin"), new FetchOptions { ExtraPeers = [AddressOf(seeder)] });

        CollectionAssert.AreEqual(SHA256.HashData(content), SHA256.HashData(await File.ReadAllBytesAsync(In("c.bin"))));
        Assert.IsGreaterThan(content.Length / 8, result.BytesByPeer[sharer.Id]);
        Assert.IsGreaterThan(content.Length / 8, result.BytesByPeer[seeder.Id]);
    }

    [TestMethod]
    public async Task A_share_survives_a_restart_with_the_same_link()
    {
        byte[] content = Write("film.bin", MiB + 1);
        Share share;
        await using (P2PNode sharer = await StartAsync("a"))
            share = await sharer.ShareAsync(In("film.bin"));
        await using P2PNode again = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");

        Assert.AreEqual(share.Link.ToUriString(), (await again.GetSharesAsync().SingleAsync()).Link.ToUriString(), "same port, same peer, same content");
        await fetcher.FetchAsync(share.Link, In("copy.bin"));
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("copy.bin")));
        Assert.IsTrue(await again.StopSharingAsync(share.Root));
        Assert.IsFalse(await again.StopSharingAsync(share.Root));
    }

    [TestMethod]
    public async Task A_stream_reads_anywhere_and_a_folder_lists_without_fetching_it_all()
    {
        byte[] content = Write("tree/a/film.bin", 5 * MiB);
        Write("tree/empty.bin", 0);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("tree"));
        await using P2PNode fetcher = await StartAsync("b");

        List<string> listed = await fetcher.ListAsync(share.Link).Select(e => $"{e.Kind} {e.Path} {e.Bytes}").ToListAsync();
        CollectionAssert.AreEquivalent(new[] { "Directory a ", $"File a/film.bin {5 * MiB}", "File empty.bin 0" }, listed);

        await using Stream stream = await fetcher.OpenReadAsync(share.Link, "a/film.bin");
        Assert.AreEqual(content.Length, stream.Length);
        byte[] buffer = new byte[100_000];
        foreach (long position in (long[])[0, (3 * MiB) - 5, (5 * MiB) - buffer.Length, 17])
        {
            stream.Position = position;
            await stream.ReadExactlyAsync(buffer);
            Assert.IsTrue(content.AsSpan((int)position, buffer.Length).SequenceEqual(buffer), $"at {position}");
        }

        P2PException missing = await Assert.ThrowsExactlyAsync<P2PException>(() => fetcher.OpenReadAsync(share.Link, "a/other.bin"));
        Assert.AreEqual(P2PErrorCode.NotFound, missing.Code);
    }

    [TestMethod]
    public async Task Progress_ends_with_everything_verified()
    {
        Write("film.bin", 8 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("film.bin"));

        await using Transfer transfer = fetcher.StartFetch(share.Link, In("copy.bin"));
        List<TransferProgress> seen = await transfer.WatchAsync().ToListAsync();
        await transfer.Completion;

        Assert.AreEqual(8 * MiB, transfer.Progress.VerifiedBytes);
        Assert.AreEqual(8 * MiB, transfer.Progress.TotalBytes);
        CollectionAssert.AreEqual(seen.Select(p => p.VerifiedBytes).Order().ToList(), seen.Select(p => p.VerifiedBytes).ToList(), "it never goes back");
    }

    [TestMethod]
    public async Task Nobody_answering_is_said_with_what_was_tried()
    {
        await using P2PNode fetcher = await StartAsync("b");
        var link = ShareLink.Parse("p2p://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyka/x?peer=/ip4/127.0.0.1/tcp/1/p2p/12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS");

        P2PException e = await Assert.ThrowsExactlyAsync<P2PException>(() => fetcher.FetchAsync(link, In("copy.bin"), new FetchOptions { StallTimeout = TimeSpan.FromSeconds(1) }));

        Assert.AreEqual(P2PErrorCode.Unreachable, e.Code);
        StringAssert.Contains(e.Attempts.Single().Error, "refused");
        Assert.IsFalse(File.Exists(In("copy.bin")));
    }

    [TestMethod]
    public async Task A_named_peer_that_is_off_is_told_also_when_others_answer_that_they_do_not_have_it()
    {
        Write("film.bin", 1000);
        await using P2PNode other = await StartAsync("c");
        await using P2PNode fetcher = await StartAsync("b");
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("film.bin"));
        PeerId id = sharer.Id;
        await sharer.StopAsync();

        P2PException e = await Assert.ThrowsExactlyAsync<P2PException>(() => fetcher.FetchAsync(
            share.Link, In("copy.bin"), new FetchOptions { ExtraPeers = [AddressOf(other)], StallTimeout = TimeSpan.FromSeconds(1.5) }));

        Assert.AreEqual(P2PErrorCode.Unreachable, e.Code);
        StringAssert.StartsWith(e.Message, $"The peers that answer do not have it, and {id} cannot be reached");
    }

    [TestMethod]
    public async Task A_named_peer_whose_dial_has_not_ended_was_not_reached()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        await using P2PNode fetcher = await StartAsync("b");
        var link = ShareLink.Parse($"p2p://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyka/x?peer=/ip4/127.0.0.1/tcp/{((System.Net.IPEndPoint)silent.LocalEndpoint).Port}/p2p/12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS");

        P2PException e = await Assert.ThrowsExactlyAsync<P2PException>(() => fetcher.FetchAsync(link, In("copy.bin"), new FetchOptions { StallTimeout = TimeSpan.FromSeconds(1) }));

        Assert.AreEqual(P2PErrorCode.Unreachable, e.Code, e.Message);
        StringAssert.Contains(e.Message, "12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS");
    }

    [TestMethod]
    public async Task Start_and_stop_may_be_called_again_and_the_folder_has_one_owner()
    {
        await using P2PNode node = await StartAsync("a");
        PeerId id = node.Id;
        await node.StartAsync();
        P2PException e = await Assert.ThrowsExactlyAsync<P2PException>(() => StartAsync("a"));
        Assert.AreEqual(P2PErrorCode.InUse, e.Code);

        await node.StopAsync();
        await node.StopAsync();
        Assert.ThrowsExactly<InvalidOperationException>(() => node.Store);
        await node.StartAsync();
        Assert.AreEqual(id, node.Id);
        Assert.AreEqual(NodeState.Running, node.Status.State);
    }

    [TestMethod]
    public async Task The_id_is_known_before_start_and_stays()
    {
        await using var node = new P2PNode(P2PNodeOptions.Loopback(In("a")));
        PeerId id = node.Id;
        await node.StartAsync();
        Assert.AreEqual(id, node.Id);
        Assert.AreEqual(id, new P2PNode(P2PNodeOptions.Loopback(In("a"))).Id);
    }

    [TestMethod]
    public async Task A_share_for_one_peer_is_refused_to_others()
    {
        Write("film.bin", 1000);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode friend = await StartAsync("b");
        await using P2PNode stranger = await StartAsync("c");
        Share share = await sharer.ShareAsync(In("film.bin"), new ShareOptions { AllowedPeers = [friend.Id] });

        await friend.FetchAsync(share.Link, In("b.bin"));
        P2PException e = await Assert.ThrowsExactlyAsync<P2PException>(() => stranger.FetchAsync(share.Link, In("c.bin"), new FetchOptions { StallTimeout = TimeSpan.FromSeconds(1) }));
        Assert.AreEqual(P2PErrorCode.NotFound, e.Code);
    }

    [TestMethod]
    public async Task A_content_id_computed_without_a_node_is_that_of_the_share()
    {
        Write("tree/film.bin", MiB + 5);
        await using P2PNode sharer = await StartAsync("a");
        Assert.AreEqual((await sharer.ShareAsync(In("tree"))).Root, (await P2PNode.ComputeCidAsync(In("tree"))).Cid);
    }

    [TestMethod]
    public async Task A_file_changed_while_shared_is_never_sent_and_the_operator_is_told()
    {
        Write("film.bin", 2 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("film.bin"));
        Write("film.bin", 2 * MiB); // other bytes, same length

        await Assert.ThrowsExactlyAsync<P2PException>(() => fetcher.FetchAsync(share.Link, In("copy.bin"), new FetchOptions { StallTimeout = TimeSpan.FromSeconds(2) }));

        Assert.IsFalse(File.Exists(In("copy.bin")));
        StringAssert.Contains(sharer.Status.Warnings.Single(w => w.Code == "source_changed").Message, In("film.bin"));
    }

    [TestMethod]
    public async Task The_last_report_of_an_import_comes_however_soon_after_the_one_before()
    {
        Write("tree/a.bin", 3 * MiB);
        Write("tree/b.bin", 10);
        await using P2PNode sharer = await StartAsync("a");
        var reports = new Reports<ImportProgress>();
        await sharer.ShareAsync(In("tree"), progress: reports);
        await reports.Until(now => now is { Bytes: (3 * MiB) + 10, Files: 2 });
    }

    [TestMethod]
    public async Task Stopping_the_node_cancels_what_is_at_work_and_it_resumes()
    {
        byte[] content = Write("film.bin", 2 * MiB);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share share = await sharer.ShareAsync(In("film.bin"));
        await sharer.StopSharingAsync(share.Root); // so that the fetch waits
        Task<FetchResult> fetch = fetcher.FetchAsync(share.Link, In("copy.bin"));
        Task<Share> import = fetcher.ShareAsync(new EndlessStream(), "endless");
        await fetcher.StopAsync();
        await Assert.ThrowsExactlyAsync<OperationCanceledException>(() => fetch);
        await Assert.ThrowsAsync<OperationCanceledException>(() => import);

        await sharer.ShareAsync(In("film.bin"));
        await fetcher.StartAsync();
        await fetcher.FetchAsync(share.Link, In("copy.bin"));
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("copy.bin")));
    }

    [TestMethod]
    public async Task A_peer_that_asked_too_early_is_served_once_it_is_shared()
    {
        byte[] content = Write("film.bin", 2 * MiB);
        Cid root = (await P2PNode.ComputeCidAsync(In("film.bin"))).Cid;
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode seeder = await StartAsync("b");
        await using P2PNode fetcher = await StartAsync("c");
        Task<FetchResult> early = fetcher.FetchAsync(
            ShareLink.Parse(root.ToString()), In("c.bin"), new FetchOptions { ExtraPeers = [AddressOf(seeder)], StallTimeout = TimeSpan.FromSeconds(30) });
        await Until(() => seeder.Status.Peers == 1);
        Share share = await sharer.ShareAsync(In("film.bin"));
        await seeder.FetchAsync(share.Link, In("b.bin"), new FetchOptions { Seed = true });

        FetchResult result = await early.WaitAsync(TimeSpan.FromSeconds(20));
        CollectionAssert.AreEqual(content, await File.ReadAllBytesAsync(In("c.bin")));
        Assert.AreEqual(seeder.Id, result.BytesByPeer.Single().Key);
    }

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
            await Task.Delay(10, limit.Token);
    }

    private sealed class Reports<T> : IProgress<T>
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<T> _all = new();

        public void Report(T value) => _all.Enqueue(value);

        public Task Until(Func<T, bool> condition) => P2PNodeTests.Until(() => _all.Any(condition));
    }

    /// <summary>Gives a byte now and then, for ever.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(10, cancellationToken);
            return 1;
        }
    }

    private string In(string name) => Path.Combine(_folder, name);

    // found by links alone: the DHT has tests of its own
    private Task<P2PNode> StartAsync(string name)
    {
        P2PNodeOptions options = P2PNodeOptions.Loopback(In(name));
        options.Dht.Mode = DhtMode.Off;
        return P2PNode.StartAsync(options);
    }

    private static Multiaddress AddressOf(P2PNode node) => Multiaddress.Parse($"{node.Status.Addresses[0]}/p2p/{node.Id}");

    private byte[] Write(string name, int bytes)
    {
        byte[] content = RandomNumberGenerator.GetBytes(bytes);
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllBytes(In(name), content);
        return content;
    }
}
