using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Identity;
using P2P.Core.Store;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: who has the link reads a private share, nobody else learns anything of it. Method: real nodes on loopback, and a search of all that they leave behind.</summary>
[TestClass]
public sealed class PrivateShareTests
{
    private const string FileName = "plans for the surprise party.txt";
    private const string Inside = "It begins at eight; nobody may know before.";

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-private-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task Who_has_the_link_lists_reads_and_fetches()
    {
        byte[] film = WriteTree();
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true });
        Assert.IsTrue(share.Private);
        Assert.AreEqual("t", share.Name);
        ShareLink link = ShareLink.Parse(share.Link.ToUriString());
        Assert.AreEqual(("~private", true, Cid.RawCodec), (link.Label, link.HasKey, link.Root.Codec));

        await using P2PNode fetcher = await StartAsync("b");
        Assert.AreEqual("t", await fetcher.GetNameAsync(link));
        List<string> entries = [];
        await foreach (ContentEntry entry in fetcher.ListAsync(link))
            entries.Add($"{entry.Path} {entry.Bytes}");
        CollectionAssert.AreEquivalent(new[] { "d ", $"d/{FileName} {Inside.Length}", "empty 0", $"film.bin {film.Length}" }, entries);

        await using (Stream stream = await fetcher.OpenReadAsync(link, "film.bin"))
        {
            stream.Position = 1_500_000;
            byte[] part = new byte[1_000_000];
            await stream.ReadExactlyAsync(part);
            Assert.IsTrue(film.AsSpan(1_500_000, 1_000_000).SequenceEqual(part));
        }

        FetchResult result = await fetcher.FetchAsync(link, In("u"));
        Assert.AreEqual(share.Root, result.Root);
        Assert.AreEqual(share.Bytes, result.Bytes);
        AssertTreeAt(In("u"), film);
        await fetcher.FetchAsync(link, In("only"), new FetchOptions { Path = $"d/{FileName}" });
        Assert.AreEqual(Inside, await File.ReadAllTextAsync(In("only")));
        FetchResult selected = await fetcher.FetchAsync(link, In("selected"), new FetchOptions { Select = ["d/**"] });
        Assert.AreEqual(1, selected.Files);
        Assert.AreEqual(Inside, await File.ReadAllTextAsync(In("selected/d/" + FileName)));
    }

    [TestMethod]
    public async Task One_file_and_a_stream_have_their_names_inside()
    {
        await File.WriteAllTextAsync(In(FileName), Inside);
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode fetcher = await StartAsync("b");
        Share file = await sharer.ShareAsync(In(FileName), new ShareOptions { Private = true });
        Share stream = await sharer.ShareAsync(new MemoryStream(Encoding.UTF8.GetBytes(Inside)), "from a stream.txt", new ShareOptions { Private = true });
        Assert.AreEqual(FileName, await fetcher.GetNameAsync(file.Link));
        Assert.AreEqual("from a stream.txt", await fetcher.GetNameAsync(stream.Link));
        await fetcher.FetchAsync(file.Link, In("x"));
        await fetcher.FetchAsync(stream.Link, In("y"));
        Assert.AreEqual(Inside, await File.ReadAllTextAsync(In("x")));
        Assert.AreEqual(Inside, await File.ReadAllTextAsync(In("y")));
        ArgumentException refused = await Assert.ThrowsExactlyAsync<ArgumentException>(() => sharer.ShareAsync(In(FileName), new ShareOptions { Private = true, Name = "a/b" }));
        Assert.Contains("a/b", refused.Message);
    }

    [TestMethod]
    public async Task The_same_paths_keep_their_link_until_they_are_not_shared_any_more()
    {
        WriteTree();
        var options = new ShareOptions { Private = true };
        string link;
        await using (P2PNode first = await StartAsync("a"))
        {
            link = (await first.ShareAsync(In("t"), options)).Link.ToUriString();
            Assert.AreEqual(link, (await first.ShareAsync(In("t"), options)).Link.ToUriString());
            await first.ShareAsync(In("t")); // openly beside it
        }

        await using P2PNode again = await StartAsync("a");
        List<Share> shares = [];
        await foreach (Share share in again.GetSharesAsync())
            shares.Add(share);
        CollectionAssert.AreEquivalent(new[] { true, false }, shares.Select(share => share.Private).ToArray());
        Assert.AreEqual(KeyOf(link), KeyOf(shares.Single(share => share.Private).Link.ToUriString()));
        Share same = await again.ShareAsync(In("t"), options);
        Assert.AreEqual(KeyOf(link), KeyOf(same.Link.ToUriString()));

        await File.WriteAllTextAsync(In("t/d/" + FileName), "changed");
        Share changed = await again.ShareAsync(In("t"), options);
        Assert.AreNotEqual(same.Root, changed.Root);
        Assert.AreEqual(KeyOf(link), KeyOf(changed.Link.ToUriString()));

        Assert.IsTrue(await again.StopSharingAsync(same.Root));
        Assert.IsTrue(await again.StopSharingAsync(changed.Root));
        Assert.AreNotEqual(KeyOf(link), KeyOf((await again.ShareAsync(In("t"), options)).Link.ToUriString()));
    }

    [TestMethod]
    public async Task A_wrong_key_is_content_that_does_not_verify_and_a_lost_one_is_no_link()
    {
        await File.WriteAllTextAsync(In("f"), Inside);
        await using P2PNode sharer = await StartAsync("a");
        Share share = await sharer.ShareAsync(In("f"), new ShareOptions { Private = true });
        await using P2PNode fetcher = await StartAsync("b");
        ShareLink wrong = ShareLink.CreatePrivate(share.Root, new byte[32], share.Link.Peers);
        foreach (Func<Task> attempt in (Func<Task>[])[() => fetcher.FetchAsync(wrong, In("g")), () => fetcher.GetNameAsync(wrong), () => fetcher.OpenReadAsync(wrong)])
        {
            P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(attempt);
            Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
            Assert.Contains("key in the link", error.Message);
        }

        Assert.IsFalse(File.Exists(In("g")));
        string text = share.Link.ToUriString();
        Assert.Contains("lost its key", Assert.ThrowsExactly<FormatException>(() => ShareLink.Parse(text[..text.IndexOf('#')])).Message);

        // without the key it is plain bytes, and those tell nothing
        await fetcher.FetchAsync(ShareLink.Parse(share.Root.ToString()), In("sealed"), new FetchOptions { ExtraPeers = AddressesOf(sharer) });
        AssertTellsNothing("sealed", await File.ReadAllBytesAsync(In("sealed")), share.Link);
    }

    [TestMethod]
    public async Task A_fetched_share_is_served_on_after_a_restart_too()
    {
        byte[] film = WriteTree();
        Share share;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true });
            await using P2PNode seeder = await StartAsync("b");
            await seeder.FetchAsync(share.Link, In("u"), new FetchOptions { Seed = true });
        }

        await using P2PNode again = await StartAsync("b");
        await using P2PNode fetcher = await StartAsync("c");
        await fetcher.FetchAsync(share.Link, In("v"), new FetchOptions { ExtraPeers = AddressesOf(again) });
        AssertTreeAt(In("v"), film);
    }

    [TestMethod]
    public async Task What_was_pinned_is_read_when_nobody_is_there()
    {
        byte[] film = WriteTree();
        await using P2PNode keeper = await StartAsync("b");
        Share share;
        await using (P2PNode sharer = await StartAsync("a"))
        {
            share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true });
            PinnedContent pinned = await keeper.Store.PinAsync(share.Link);
            Assert.AreEqual(("t", share.Root, share.Blocks), (pinned.Name, pinned.Root, pinned.Blocks));
        }

        await keeper.FetchAsync(share.Link, In("u"));
        AssertTreeAt(In("u"), film);
    }

    [TestMethod]
    public async Task Who_holds_the_blocks_without_the_key_serves_them_and_learns_nothing()
    {
        byte[] film = WriteTree();
        Share share;
        await using (P2PNode sharer = await StartAsync("a"))
            share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true });
        await CopyBlocksAsync(share.Link, In("a"), In("holder"));
        Assert.IsGreaterThan(4, AssertFolderTellsNothing(In("holder"), share.Link));

        await using P2PNode holder = await StartAsync("holder");
        await using P2PNode fetcher = await StartAsync("b");
        FetchResult result = await fetcher.FetchAsync(share.Link, In("u"), new FetchOptions { ExtraPeers = AddressesOf(holder) });
        Assert.IsGreaterThanOrEqualTo(share.Bytes, result.BytesByPeer[holder.Id]);
        AssertTreeAt(In("u"), film);
        await holder.DisposeAsync();
        AssertFolderTellsNothing(In("holder"), share.Link);
    }

    [TestMethod]
    public async Task No_key_is_written_logged_or_shown()
    {
        WriteTree();
        using var log = new RecordingLog();
        Share share;
        List<string> shown = [];
        await using (P2PNode sharer = await StartAsync("a", log))
        await using (P2PNode seeder = await StartAsync("b", log))
        {
            share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true });
            FetchResult fetched = await seeder.FetchAsync(share.Link, In("u"), new FetchOptions { Seed = true });
            ShareLink wrong = ShareLink.CreatePrivate(share.Root, KeyBytesOf(share.Link).Select(b => (byte)(b ^ 1)).ToArray(), share.Link.Peers);
            P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => seeder.FetchAsync(wrong, In("w")));
            shown.AddRange([share.ToString(), share.Link.ToString(), $"{share.Link}", fetched.ToString(), error.ToString(), sharer.Status.ToString(), new ShareOptions { Private = true }.ToString()]);
            await foreach (Share listed in sharer.GetSharesAsync())
                shown.Add(listed.ToString());
        }

        shown.AddRange(log.Lines);
        Assert.IsGreaterThan(10, shown.Count);
        foreach (string text in shown)
            Assert.IsFalse(FormsOf(KeyBytesOf(share.Link)).Any(form => text.AsSpan().Contains(Encoding.Latin1.GetString(form), StringComparison.OrdinalIgnoreCase)), text);
        foreach (string folder in (string[])["a", "b"])
        {
            foreach (string file in Directory.EnumerateFiles(In(folder), "*", SearchOption.AllDirectories))
            {
                byte[] bytes = await File.ReadAllBytesAsync(file);
                Assert.IsFalse(FormsOf(KeyBytesOf(share.Link)).Any(form => bytes.AsSpan().IndexOf(form) >= 0), file);
            }
        }
    }

    [TestMethod]
    public async Task Peers_that_are_not_allowed_are_told_that_it_is_not_there()
    {
        byte[] film = WriteTree();
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode friend = await StartAsync("b");
        await using P2PNode other = await StartAsync("c");
        Share folder = await sharer.ShareAsync(In("t"), new ShareOptions { AllowedPeers = [friend.Id] });
        CollectionAssert.AreEqual(new[] { friend.Id }, folder.AllowedPeers.ToArray());
        await RefusedAsync(other, folder.Link);
        await friend.FetchAsync(folder.Link, In("u"));
        AssertTreeAt(In("u"), film);

        // the same blocks once more, for somebody else: each list holds for what it was given with
        Share file = await sharer.ShareAsync(In("t/film.bin"), new ShareOptions { AllowedPeers = [other.Id] });
        await other.FetchAsync(file.Link, In("film"));
        CollectionAssert.AreEqual(film, await File.ReadAllBytesAsync(In("film")));
        await RefusedAsync(other, folder.Link);
        await friend.FetchAsync(file.Link, In("film2")); // it is in the folder that this peer may have

        Assert.IsTrue(await sharer.StopSharingAsync(folder.Root));
        await using P2PNode late = await StartAsync("d");
        await RefusedAsync(friend, folder.Link);
        await RefusedAsync(late, file.Link);
        await other.FetchAsync(file.Link, In("film3"));
    }

    [TestMethod]
    public async Task A_private_share_may_have_a_list_too()
    {
        byte[] film = WriteTree();
        await using P2PNode sharer = await StartAsync("a");
        await using P2PNode friend = await StartAsync("b");
        await using P2PNode other = await StartAsync("c");
        Share share = await sharer.ShareAsync(In("t"), new ShareOptions { Private = true, AllowedPeers = [friend.Id] });
        await RefusedAsync(other, share.Link);
        await friend.FetchAsync(share.Link, In("u"));
        AssertTreeAt(In("u"), film);
    }

    private async Task RefusedAsync(P2PNode asker, ShareLink link)
    {
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => asker.FetchAsync(link, In("refused"), new FetchOptions { StallTimeout = TimeSpan.FromSeconds(1) }));
        Assert.AreEqual(P2PErrorCode.NotFound, error.Code);
        Assert.IsFalse(Path.Exists(In("refused")));
    }

    /// <summary>Puts every block of a share into another store, as a holder of replicas would get it.</summary>
    private static async Task CopyBlocksAsync(ShareLink link, string from, string to)
    {
        using IdentityKey identity = IdentityFile.LoadOrCreate(Path.Combine(from, "identity"));
        using var wrap = new ShareKeyWrap(identity);
        await using BlockStore source = await BlockStore.OpenAsync(from, new StoreOptions { ShareKeys = wrap }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        await using BlockStore target = await BlockStore.OpenAsync(to, new StoreOptions(), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        PinId pin = await target.AddPinAsync(new Pin { Kind = PinKind.Held, Root = link.Root }, CancellationToken.None);
        using StoreBatch batch = target.BeginBatch(pin);
        using var sealer = new BlockSealer(link.Key);
        var buffers = new BlockBufferPool();
        var copying = new Copying(source, batch);
        var reader = new DagReader(copying, null, new PrivateForm(sealer, buffers));
        await foreach (ContentEntry entry in reader.ListAsync(link.Root, null, recursive: true, CancellationToken.None))
        {
            if (entry.Kind != ContentKind.File)
                continue;
            await using VerifiedStream stream = await reader.OpenAsync(link.Root, entry.Path, CancellationToken.None);
            await stream.CopyToAsync(Stream.Null);
        }

        await batch.CommitAsync(Durability.Flushed, CancellationToken.None);
    }

    private byte[] WriteTree()
    {
        byte[] film = new byte[3_000_000];
        new Random(7).NextBytes(film);
        Directory.CreateDirectory(In("t/d"));
        File.WriteAllBytes(In("t/film.bin"), film);
        File.WriteAllText(In("t/d/" + FileName), Inside);
        File.WriteAllText(In("t/empty"), "");
        return film;
    }

    private static void AssertTreeAt(string folder, byte[] film)
    {
        CollectionAssert.AreEqual(film, File.ReadAllBytes(Path.Combine(folder, "film.bin")));
        Assert.AreEqual(Inside, File.ReadAllText(Path.Combine(folder, "d", FileName)));
        Assert.AreEqual(0, new FileInfo(Path.Combine(folder, "empty")).Length);
    }

    private static int AssertFolderTellsNothing(string folder, ShareLink link)
    {
        int files = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            files++;
            AssertTellsNothing(file, File.ReadAllBytes(file), link);
        }

        return files;
    }

    private static void AssertTellsNothing(string file, byte[] bytes, ShareLink link)
    {
        byte[] film = new byte[3_000_000];
        new Random(7).NextBytes(film);
        foreach (byte[] secret in (byte[][])[Encoding.UTF8.GetBytes(FileName), Encoding.UTF8.GetBytes(Inside), "film.bin"u8.ToArray(), film[..32], film[2_000_000..2_000_032], .. FormsOf(KeyBytesOf(link))])
            Assert.IsLessThan(0, bytes.AsSpan().IndexOf(secret), file);
    }

    private static byte[] KeyBytesOf(ShareLink link) => link.Key.ToArray();

    private static string KeyOf(string link) => Convert.ToHexString(ShareLink.Parse(link).Key);

    /// <summary>The forms in which a key might show: its bytes, hexadecimal, and base64 from each of the three places where it may begin.</summary>
    private static IEnumerable<byte[]> FormsOf(byte[] key)
    {
        yield return key;
        yield return Encoding.ASCII.GetBytes(Convert.ToHexString(key));
        yield return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key));
        for (int skipped = 0; skipped < 3; skipped++)
        {
            byte[] rest = key[skipped..(skipped + 27)];
            yield return Encoding.ASCII.GetBytes(Convert.ToBase64String(rest));
            yield return Encoding.ASCII.GetBytes(Base64Url.EncodeToString(rest));
        }
    }

    private string In(string name) => Path.Combine(_folder, name);

    private Task<P2PNode> StartAsync(string name) => P2PNode.StartAsync(P2PNodeOptions.Loopback(In(name)));

    private async Task<P2PNode> StartAsync(string name, ILoggerFactory loggers)
    {
        var node = new P2PNode(P2PNodeOptions.Loopback(In(name)), loggers);
        await node.StartAsync();
        return node;
    }

    private static Multiaddress[] AddressesOf(P2PNode node) => [.. node.Status.Addresses.Select(address => Multiaddress.Parse($"{address}/p2p/{node.Id}"))];

    /// <summary>Gives blocks of a store and puts a copy of each into a batch.</summary>
    private sealed class Copying(BlockStore source, StoreBatch batch) : IBlockSource
    {
        public async ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken)
        {
            BlockBuffer block = await source.ReadAsync(cid, cancellationToken) ?? throw new P2PException(P2PErrorCode.NotFound, $"{cid} is not here");
            lock (batch)
                batch.AddOwned(in cid, block.Span);
            return block;
        }

        public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>Keeps every line at every level, with the values behind it.</summary>
    private sealed class RecordingLog : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Lines.Enqueue($"{formatter(state, exception)} {exception}");
            if (state is IEnumerable<KeyValuePair<string, object?>> values)
                Lines.Enqueue(string.Join(" ", values.Select(value => $"{value.Value}")));
        }

        public void Dispose()
        {
        }
    }
}
