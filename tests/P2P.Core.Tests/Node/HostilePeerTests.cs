using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Connections;
using P2P.Core.Exchange;
using P2P.Core.Identity;
using P2P.Core.Muxer;
using P2P.Core.Primitives;
using P2P.Core.SecureChannel;
using P2P.Core.Tests.Connections;
using P2P.Core.Tests.Muxer;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>
/// Goal: whatever one peer does to a whole node, others fetch from it meanwhile, memory stays bounded, and the debug log says why the peer was cut off.
/// Method: raw connections and raw peers against a sharer on loopback. The rooms' own tests have the finer cases.
/// </summary>
[TestClass]
[DoNotParallelize]
public sealed class HostilePeerTests
{
    private const int MiB = 1 << 20;
    private const int ShareBytes = 4 * MiB;

    private static readonly byte[] Header = MultistreamCodec.Encode(MultistreamCodec.Header);
    private static readonly byte[] Proposal = MultistreamCodec.Encode(MultistreamCodec.Header, NoiseUpgrade.ProtocolId);
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(10);

    /// <summary>What comes first, what comes over and over after it, and the reason in the log where there is only one.</summary>
    private static readonly Dictionary<string, (byte[] First, byte[] Then, string Reason)> Openings = new()
    {
        ["random bytes"] = (RandomBytes(4_000), RandomBytes(65_536), ""),
        ["a line that never ends"] = ([0xff, 0xff, 0xff, 0x7f], RandomBytes(65_536), ""),
        ["endless headers"] = (Header, [.. Enumerable.Repeat(Header, 1_000).SelectMany(static each => each)], "too many proposals"),
        ["an oversize handshake message"] = ([.. Proposal, 0xff, 0xff], new byte[65_536], "a handshake message of 65535 bytes is too long"),
        ["a handshake of noise"] = ([.. Proposal, 0, 32, .. RandomBytes(32)], RandomBytes(65_536), ""),
    };

    private static readonly Dictionary<string, (byte[] Frame, string Reason)> Frames = new()
    {
        ["data beyond the window"] = (RawPeer.Frame(YamuxFrameType.Data, YamuxFlags.Syn, 1, uint.MaxValue), "data beyond the window"),
        ["a window without bounds"] = (RawPeer.Frame(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, uint.MaxValue), "a stream's window was raised beyond all bounds"),
        ["a frame of another version"] = (RandomBytes(YamuxHeader.Bytes), "a frame of an unknown version or type"),
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-hostile-").FullName;
    private readonly LogList _log = new();
    private P2PNode _sharer = null!;
    private Share _share = null!;
    private int _friends;

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestInitialize]
    public async Task StartAsync()
    {
        await File.WriteAllBytesAsync(In("film.bin"), RandomNumberGenerator.GetBytes(ShareBytes), Token);
        _sharer = await StartNodeAsync("sharer", new LogListFactory(_log));
        _share = await _sharer.ShareAsync(In("film.bin"), cancellationToken: Token);
    }

    [TestCleanup]
    public async Task StopAsync()
    {
        await _sharer.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [TestMethod]
    [DataRow("random bytes")]
    [DataRow("a line that never ends")]
    [DataRow("endless headers")]
    [DataRow("an oversize handshake message")]
    [DataRow("a handshake of noise")]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task What_is_no_peer_is_cut_off(string what)
    {
        (byte[] first, byte[] then, string reason) = Openings[what];
        await using ITransportConnection raw = await DialAsync();
        Task closed = UntilClosedAsync(raw);
        int sent = 0;
        try
        {
            await raw.SendAsync(first, Token);
            for (; sent < 1_000 && !closed.IsCompleted; sent++)
                await raw.SendAsync(then, Token);
        }
        catch (IOException)
        {
            // cut off
        }

        Assert.IsLessThan(1_000, sent, $"{what} is read for ever");
        await closed.WaitAsync(InTime, Token);
        await Eventually.TrueAsync(() => Logged("Handshake with", reason), Token);
        await FriendFetchesAsync();
        Assert.IsEmpty(_log.Problems);
    }

    [TestMethod]
    [DataRow("data beyond the window")]
    [DataRow("a window without bounds")]
    [DataRow("a frame of another version")]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_peer_that_breaks_the_muxer_is_cut_off(string what)
    {
        (byte[] frame, string reason) = Frames[what];
        await using var peer = await AuthenticatedPeer.ConnectAsync(await DialAsync(), Token);
        await Eventually.TrueAsync(() => _sharer.GetPeers().Count == 1, Token);
        peer.Channel.Append(frame);
        await peer.Channel.FlushAsync(Token);
        await Eventually.TrueAsync(() => Logged($"Disconnected from {peer.Id}", reason), Token);
        Assert.IsEmpty(_sharer.GetPeers(), what);
        await FriendFetchesAsync();
        Assert.IsEmpty(_log.Problems);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_frame_that_does_not_verify_ends_the_connection()
    {
        await using var peer = await AuthenticatedPeer.ConnectAsync(await DialAsync(), Token);
        await peer.Raw.SendAsync((byte[])[0xff, 0xff, .. RandomBytes(65_535)], Token);
        await Eventually.TrueAsync(() => Logged($"Disconnected from {peer.Id}", "a frame does not verify"), Token);
        await FriendFetchesAsync();
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Two_thousand_half_open_connections_that_stall_cost_little_and_end()
    {
        Assert.IsTrue(_sharer.Status.Addresses[0].TryGetEndPoint(out IPEndPoint? end));
        await FriendFetchesAsync(); // what is loaded only once does not count
        long before = WorkingSet();
        List<Socket> flood = [];
        try
        {
            for (int i = 0; i < 2_000; i++)
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                flood.Add(socket);
                try
                {
                    await socket.ConnectAsync(end, Token);
                    if (i % 3 == 0)
                        await socket.SendAsync(Proposal, SocketFlags.None, Token); // some get one step further
                }
                catch (SocketException)
                {
                    // displaced already
                }

                if (i is 999 or 1_999)
                    await FriendFetchesAsync(); // in the midst of it, while all are open
            }

            Assert.IsLessThan(96L * MiB, WorkingSet() - before);
            Assert.IsTrue(Logged("Handshake with", "too many handshakes under way"));
            await Eventually.TrueAsync(() => Logged("Handshake with", "the handshake took longer than 10 s"), Token);
            await FriendFetchesAsync();
        }
        finally
        {
            flood.ForEach(static socket => socket.Dispose());
        }
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_wantlist_of_a_million_lines_closes_the_connection()
    {
        await using RawBitswapPeer flooder = await RawBitswapPeer.StartAsync(static (_, _, _, _) => Task.CompletedTask, Token);
        Connection connection = await flooder.ConnectAsync(_sharer, Token);
        await FriendFetchesAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Task flood = Task.Run(() => FloodAsync(connection, 1_000_000), Token);
        await FriendFetchesAsync();
        await connection.Closed.WaitAsync(Token);
        await Assert.ThrowsAsync<IOException>(() => flood);
        await Eventually.TrueAsync(() => Logged($"{flooder.Id} broke bitswap", "65536 entries"), Token);
        await FriendFetchesAsync();
        Assert.IsLessThan(16L * MiB, GC.GetTotalMemory(forceFullCollection: true) - before);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_message_without_end_closes_the_connection()
    {
        await using RawBitswapPeer flooder = await RawBitswapPeer.StartAsync(static (_, _, _, _) => Task.CompletedTask, Token);
        Connection connection = await flooder.ConnectAsync(_sharer, Token);
        await using PeerStream stream = await connection.OpenStreamAsync(BitswapProtocol.Id, Token);
        await stream.Output.WriteAsync(new byte[] { 0x81, 0x80, 0x80, 0x02 }, Token); // 4 MiB and one byte
        await connection.Closed.WaitAsync(Token);
        await Eventually.TrueAsync(() => Logged($"{flooder.Id} broke bitswap", "oversize"), Token);
        await FriendFetchesAsync();
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_peer_that_asks_for_4_MiB_and_does_not_read_holds_up_nobody()
    {
        await using RawBitswapPeer deaf = await RawBitswapPeer.StartWithStreamsAsync(
            static async (_, _, _, cancellationToken) => await Task.Delay(Timeout.Infinite, cancellationToken), Token);
        Connection connection = await deaf.ConnectAsync(_sharer, Token);
        List<Cid> leaves = [];
        byte[] film = await File.ReadAllBytesAsync(In("film.bin"), Token);
        for (int at = 0; at < film.Length; at += MiB)
            leaves.Add(Cid.OfRaw(film.AsSpan(at, MiB)));
        await using PeerStream stream = await connection.OpenStreamAsync(BitswapProtocol.Id, Token);
        BitswapWriter.WriteWantlist(stream.Output, [.. leaves.Select(static cid => WantEntry.ForBlock(cid, 1))], full: false);
        await stream.Output.FlushAsync(Token);

        await FriendFetchesAsync();
        await Eventually.TrueAsync(() => Logged($"Answering {deaf.Id} failed", "does not read"), Token);
        Assert.AreEqual(0, _sharer.Status.BytesServedByPeer.GetValueOrDefault(deaf.Id));
        await FriendFetchesAsync();
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new SeededRandom((ulong)count).NextBytes(bytes);
        return bytes;
    }

    private static long WorkingSet()
    {
        GC.Collect();
        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }

    private async Task UntilClosedAsync(ITransportConnection raw)
    {
        byte[] buffer = new byte[4_096];
        try
        {
            while (await raw.ReceiveAsync(buffer, Token) > 0)
                continue;
        }
        catch (IOException)
        {
            // reset
        }
    }

    /// <summary>As many lines as asked for in messages of a hundred thousand, in tiny CIDs that nobody has.</summary>
    private async Task FloodAsync(Connection connection, int lines)
    {
        const int linesPerMessage = 100_000;
        await using PeerStream stream = await connection.OpenStreamAsync(BitswapProtocol.Id, Token);
        var entries = new WantEntry[linesPerMessage];
        for (int made = 0; made < lines;)
        {
            for (int i = 0; i < linesPerMessage; i++)
            {
                Cid.TryCreate(1, Cid.RawCodec, Multihash.Create(Multihash.Identity, BitConverter.GetBytes(made++)), out Cid cid);
                entries[i] = new WantEntry(cid, made, WantKind.Block, Cancel: false, SendDontHave: made % 2 == 0);
            }

            BitswapWriter.WriteWantlist(stream.Output, entries, full: false);
            await stream.Output.FlushAsync(Token);
        }
    }

    private ValueTask<ITransportConnection> DialAsync() => new TcpTransport(TimeProvider.System, NullLogger.Instance).DialAsync(_sharer.Status.Addresses[0], Token);

    /// <summary>Somebody who was not there before gets the file in time.</summary>
    private async Task FriendFetchesAsync()
    {
        string name = $"friend{_friends++}";
        long began = Stopwatch.GetTimestamp();
        await using P2PNode friend = await StartNodeAsync(name, NullLoggerFactory.Instance);
        await friend.FetchAsync(_share.Link, In($"{name}.bin"), cancellationToken: Token).WaitAsync(InTime, Token);
        Assert.AreEqual(ShareBytes, new FileInfo(In($"{name}.bin")).Length);
        TestContext.WriteLine($"{name} was served in {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
    }

    private async Task<P2PNode> StartNodeAsync(string name, ILoggerFactory loggers)
    {
        var node = new P2PNode(P2PNodeOptions.Loopback(In(name)), loggers);
        await node.StartAsync(Token);
        return node;
    }

    private bool Logged(string beginning, string part) => _log.Lines.Any(line =>
        line.Level == LogLevel.Debug && line.Text.StartsWith(beginning, StringComparison.Ordinal) && line.Text.Contains(part, StringComparison.Ordinal));

    private string In(string name) => Path.Combine(_folder, name);

    /// <summary>A peer that proved who it is and then writes whatever frames it likes.</summary>
    private sealed class AuthenticatedPeer(ITransportConnection raw, NoiseChannel channel, PeerId id) : IAsyncDisposable
    {
        public ITransportConnection Raw => raw;

        public NoiseChannel Channel => channel;

        public PeerId Id => id;

        public static async Task<AuthenticatedPeer> ConnectAsync(ITransportConnection raw, CancellationToken cancellationToken)
        {
            using IdentityKey identity = IdentityKey.Generate();
            using var noise = new NoiseUpgrade(identity, new NoiseOptions(), TimeProvider.System);
            NoiseChannel channel = await noise.SecureAsync(raw, isInitiator: true, null, [ConnectionUpgrader.MuxerId], default, Proposal, Proposal, cancellationToken);
            return new AuthenticatedPeer(raw, channel, identity.PeerId);
        }

        public ValueTask DisposeAsync() => channel.DisposeAsync();
    }
}
