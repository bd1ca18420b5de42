using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using P2P.Core.Connections;
using P2P.Core.Content;
using P2P.Core.Exchange;
using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>
/// Goal: a provider that lies costs little beside an honest one, and alone ends with the right failure and nothing under the final name.
/// Method: whole nodes fetch from raw peers on loopback; the honest one stands behind a relay that makes it as slow as a home line.
/// </summary>
[TestClass]
[DoNotParallelize]
public sealed class LyingProviderTests
{
    private const int MiB = 1 << 20;
    private const int FilmBytes = 40 * MiB;

    /// <summary>The honest provider's line: 40 MiB take 8.4 s.</summary>
    private static readonly DelayRelayOptions HonestLine = new() { RoundTrip = TimeSpan.FromMilliseconds(40), BitsPerSecond = 40_000_000 };

    /// <summary>What the line alone needs, its start included: how long the fetch takes without a liar.</summary>
    private static readonly TimeSpan HonestTime = TimeSpan.FromSeconds((FilmBytes * 8.0 / HonestLine.BitsPerSecond) + 0.3);

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-liars-").FullName;
    private readonly ConcurrentDictionary<PeerId, int> _asked = [];

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("none", DisplayName = "nobody lies")]
    [DataRow("trickle", DisplayName = "sends a byte a second")]
    [DataRow("stall", DisplayName = "delivers three blocks, half of the fourth, and stalls")]
    [DataRow("last", DisplayName = "delivers all but the last block")]
    [DataRow("claims", DisplayName = "claims to have it and never delivers")]
    [DataRow("wrong", DisplayName = "sends wrong bytes")]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_liar_beside_an_honest_provider_costs_less_than_half_the_time_again(string lie)
    {
        byte[] film = RandomNumberGenerator.GetBytes(FilmBytes);
        await File.WriteAllBytesAsync(In("film.bin"), film, Token);
        await using P2PNode honest = await StartNodeAsync("honest"), fetcher = await StartNodeAsync("fetcher");
        Share share = await honest.ShareAsync(In("film.bin"), cancellationToken: Token);
        Assert.IsTrue(honest.Status.Addresses[0].TryGetEndPoint(out IPEndPoint? end));
        await using DelayRelay line = DelayRelay.Start(end, HonestLine);
        var link = ShareLink.Create(share.Root, "film.bin", [new PeerHint(honest.Id, [Multiaddress.FromEndPoint(line.EndPoint)])]);
        Dictionary<Cid, byte[]> leaves = [];
        for (int at = 0; at < FilmBytes; at += MiB)
            leaves[Cid.OfRaw(film.AsSpan(at, MiB))] = film.AsSpan(at, MiB).ToArray();
        Cid last = leaves.Keys.Last();
        await using RawBitswapPeer liar = await RawBitswapPeer.StartAsync((self, connection, want, token) => LieAsync(lie, self, connection, want, leaves, last, token), Token);

        long began = Stopwatch.GetTimestamp();
        FetchResult result = await fetcher.FetchAsync(link, In("copy.bin"), new FetchOptions { ExtraPeers = lie == "none" ? [] : [liar.Address] }, cancellationToken: Token);
        TimeSpan took = Stopwatch.GetElapsedTime(began);

        TestContext.WriteLine($"{lie}: {took.TotalSeconds:F2} s, {result.BytesByPeer.GetValueOrDefault(liar.Id)} bytes from the liar, asked {_asked.GetValueOrDefault(liar.Id)} times");
        CollectionAssert.AreEqual(SHA256.HashData(film), SHA256.HashData(await File.ReadAllBytesAsync(In("copy.bin"), Token)));
        if (lie != "none")
            Assert.IsGreaterThan(0, _asked.GetValueOrDefault(liar.Id), "it was believed at first");
        Assert.IsLessThan(1.5 * HonestTime.TotalSeconds, took.TotalSeconds);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Wrong_bytes_from_the_only_sharer_are_an_integrity_failure_and_leave_nothing_behind()
    {
        byte[] film = RandomNumberGenerator.GetBytes(3 * MiB);
        Cid[] leaves = [.. Enumerable.Range(0, 3).Select(i => Cid.OfRaw(film.AsSpan(i * MiB, MiB)))];
        byte[] root = FileOf(leaves, MiB);
        await using P2PNode fetcher = await StartNodeAsync("fetcher");
        await using RawBitswapPeer liar = await RawBitswapPeer.StartAsync(
            async (_, connection, want, token) =>
            {
                if (want.Cancel)
                    return;
                // the truth about the root and the first block, and then lies
                byte[] answer = want.Cid == Cid.OfDagPb(root) ? root : want.Cid == leaves[0] ? film[..MiB] : RandomNumberGenerator.GetBytes(MiB);
                await RawBitswapPeer.SendAsync(connection, [], [(Cid.OfRaw(answer).Key == want.Cid.Key ? want.Cid : Cid.OfRaw(answer), answer)], token);
            },
            Token);

        var link = ShareLink.Create(Cid.OfDagPb(root), "film.bin", [new PeerHint(liar.Id, [liar.Address.WithoutPeerId()])]);
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => fetcher.FetchAsync(link, In("copy.bin"), cancellationToken: Token));
        Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
        Assert.IsFalse(Path.Exists(In("copy.bin")));
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_file_that_fans_out_at_every_level_to_more_than_any_disk_is_refused()
    {
        P2PException error = await Assert.ThrowsExactlyAsync<P2PException>(() => FetchFanAsync(isFolder: false, levels: 5, Token));
        Assert.AreEqual(P2PErrorCode.NoSpace, error.Code);
        Assert.IsFalse(Path.Exists(In("copy")));
    }

    [TestMethod]
    [DataRow(false, 3, DisplayName = "a file of 2^30 leaves")]
    [DataRow(true, 40, DisplayName = "folders, 2^400 of them")]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Content_that_fans_out_at_every_level_takes_bounded_memory(bool isFolder, int levels)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task fetch = FetchFanAsync(isFolder, levels, enough.Token);
        await Task.WhenAny(fetch, Task.Delay(TimeSpan.FromSeconds(4), Token));
        Assert.IsFalse(fetch.IsCompleted, $"it goes on: {fetch.Exception?.InnerException?.Message}");
        Assert.IsLessThan(64L * MiB, GC.GetTotalMemory(forceFullCollection: true) - before);
        await enough.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => fetch);
        Assert.IsFalse(Path.Exists(In("copy")));
    }

    /// <summary>Fetches content in which every node links the next level 1,024 times.</summary>
    private async Task FetchFanAsync(bool isFolder, int levels, CancellationToken cancellationToken)
    {
        Dictionary<Cid, byte[]> blocks = [];
        Cid below = Cid.OfRaw([7]);
        blocks[below] = [7];
        ulong size = 1;
        for (int level = 0; level < levels; level++)
        {
            byte[] node = isFolder
                ? DagPbCodec.Encode([.. Enumerable.Range(0, 1_024).Select(i => new DagPbLink(below, Encoding.UTF8.GetBytes(i.ToString("x3", CultureInfo.InvariantCulture)), 1))], new UnixFsData(UnixFsType.Directory).Encode())
                : FileOf([.. Enumerable.Repeat(below, 1_024)], size);
            size *= 1_024;
            below = Cid.OfDagPb(node);
            blocks[below] = node;
        }

        await using P2PNode fetcher = await StartNodeAsync("fetcher");
        await using RawBitswapPeer sharer = await RawBitswapPeer.StartAsync(
            async (_, connection, want, token) =>
            {
                if (!want.Cancel && blocks.TryGetValue(want.Cid, out byte[]? data))
                    await RawBitswapPeer.SendAsync(connection, [], [(want.Cid, data)], token);
            },
            Token);
        var link = ShareLink.Create(below, "copy", [new PeerHint(sharer.Id, [sharer.Address.WithoutPeerId()])]);
        await fetcher.FetchAsync(link, In("copy"), cancellationToken: cancellationToken);
    }

    private async Task LieAsync(
        string lie, RawBitswapPeer self, Connection connection, WantEntry want, Dictionary<Cid, byte[]> leaves, Cid last, CancellationToken cancellationToken)
    {
        if (want.Cancel)
            return;
        int asked = _asked.AddOrUpdate(self.Id, 1, static (_, count) => count + 1);
        int length = leaves.TryGetValue(want.Cid, out byte[]? data) ? MiB : 10_000;
        switch (lie)
        {
            case "trickle" when asked <= 8:
                Spawn(RawBitswapPeer.TrickleAsync(connection, want.Cid, length, 0, cancellationToken));
                break;
            case "stall" when asked <= 4 && data is not null:
                await RawBitswapPeer.SendAsync(connection, [], [(want.Cid, data)], cancellationToken);
                break;
            case "stall" when asked == 5:
                Spawn(RawBitswapPeer.TrickleAsync(connection, want.Cid, length, length / 2, cancellationToken));
                break;
            case "last" when data is not null && want.Cid != last:
                await RawBitswapPeer.SendAsync(connection, [], [(want.Cid, data)], cancellationToken);
                break;
            case "last" when want.Cid == last:
                Spawn(RawBitswapPeer.TrickleAsync(connection, want.Cid, length, length - 10, cancellationToken));
                break;
            case "claims":
                await RawBitswapPeer.SendAsync(connection, [(want.Cid, true)], [], cancellationToken);
                break;
            case "wrong":
                byte[] wrong = RandomNumberGenerator.GetBytes(length);
                await RawBitswapPeer.SendAsync(connection, [], [(Cid.OfRaw(wrong), wrong)], cancellationToken);
                break;
        }
    }

    /// <summary>Goes on while the stream that asked is read on; ends with the connection.</summary>
    private static void Spawn(Task lying) => _ = lying.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private static byte[] FileOf(IReadOnlyList<Cid> children, ulong bytesEach) => DagPbCodec.Encode(
        [.. children.Select(child => new DagPbLink(child, [], bytesEach))],
        new UnixFsData(UnixFsType.File) { FileBytes = bytesEach * (ulong)children.Count, BlockBytes = [.. children.Select(_ => bytesEach)] }.Encode());

    private string In(string name) => Path.Combine(_folder, name);

    private Task<P2PNode> StartNodeAsync(string name) => P2PNode.StartAsync(P2PNodeOptions.Loopback(In(name)), Token);
}
