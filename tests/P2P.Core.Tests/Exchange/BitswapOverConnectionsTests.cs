using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Exchange;
using P2P.Core.Store;
using P2P.Core.Tests.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

// Goal: bitswap works on the real pool, muxer, channel and store. Method: two and three nodes on loopback TCP.
[TestClass]
public sealed class BitswapOverConnectionsTests
{
    private const int MiB = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancellation => TestContext.CancellationToken;

    [TestMethod]
    public async Task A_shared_file_is_fetched_block_by_block()
    {
        await using Node sharer = await Node.StartAsync(Cancellation), fetcher = await Node.StartAsync(Cancellation);
        List<Cid> cids = await sharer.ShareFileAsync(blocks: 64, MiB, allowed: []);
        await fetcher.ConnectAsync(sharer, Cancellation);
        CollectingSink sink = await FetchAsync(fetcher, cids, sharer);
        Assert.HasCount(64, sink.Blocks);
        Assert.AreEqual(64L * MiB, sharer.Bitswap.BytesServedTo(fetcher.Peer.Id));
        await BitswapTests.UntilAsync(() => fetcher.Buffers.RentedCount == 0 && sharer.Buffers.RentedCount == 0);
    }

    [TestMethod]
    public async Task Blocks_that_are_not_shared_or_not_with_the_asker_are_denied()
    {
        await using Node sharer = await Node.StartAsync(Cancellation), fetcher = await Node.StartAsync(Cancellation), friend = await Node.StartAsync(Cancellation);
        List<Cid> cids = await sharer.ShareFileAsync(blocks: 2, 100_000, allowed: [friend.Peer.Id]);
        await fetcher.ConnectAsync(sharer, Cancellation);
        await friend.ConnectAsync(sharer, Cancellation);
        Assert.HasCount(2, (await FetchAsync(friend, cids, sharer)).Blocks);
        await using BitswapSession session = fetcher.Bitswap.OpenSession(cids[0], null, askStore: true);
        session.AddProvider(sharer.Peer.Id);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<BlockBuffer> get = session.GetAsync(cids[0], cancel.Token).AsTask();
        await BitswapTests.UntilAsync(() => session.Statistics.Stall == SessionStall.NobodyHasIt);
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => get);
        Assert.AreEqual(0, sharer.Bitswap.BytesServedTo(fetcher.Peer.Id));
    }

    [TestMethod]
    public async Task A_peer_without_bitswap_is_no_provider()
    {
        await using Node fetcher = await Node.StartAsync(Cancellation);
        await using TestPeer other = await TestPeer.OnLoopback().ListenAsync(Cancellation);
        await fetcher.Peer.ConnectAsync(other, Cancellation);
        await using BitswapSession session = fetcher.Bitswap.OpenSession(Cid.OfRaw([1]), null, askStore: false);
        session.AddProvider(other.Id);
        await session.RequestAsync(Cid.OfRaw([1]), 1, new CollectingSink(), 0, Cancellation);
        await BitswapTests.UntilAsync(() => session.Statistics.Stall == SessionStall.NoProviders);
        Assert.IsEmpty(session.Providers);
    }

    [TestMethod]
    public async Task A_connection_that_breaks_in_the_middle_is_made_again()
    {
        await using Node sharer = await Node.StartAsync(Cancellation), fetcher = await Node.StartAsync(Cancellation);
        List<Cid> cids = await sharer.ShareFileAsync(blocks: 200, 300_000, allowed: []);
        var source = new DialingSource(fetcher, sharer);
        await using BitswapSession session = fetcher.Bitswap.OpenSession(cids[0], source, askStore: false);
        var sink = new CollectingSink();
        Task requesting = BitswapTests.RequestAllAsync(session, cids, sink);
        await sink.WaitAsync(10);
        Assert.IsTrue(sharer.Peer.Pool.TryGet(fetcher.Peer.Id, out Connection? connection));
        await connection.CloseAsync("the test breaks it");
        await sink.WaitAsync(200);
        await requesting;
        Assert.HasCount(200, sink.Blocks);
    }

    private static async Task<CollectingSink> FetchAsync(Node fetcher, List<Cid> cids, params Node[] providers)
    {
        await using BitswapSession session = fetcher.Bitswap.OpenSession(cids[0], null, askStore: false);
        foreach (Node provider in providers)
            session.AddProvider(provider.Peer.Id);
        var sink = new CollectingSink();
        await BitswapTests.RequestAllAsync(session, cids, sink);
        await sink.WaitAsync(cids.Count);
        return sink;
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly string _folder;
        private readonly BlockStore _store;

        private Node(string folder, BlockStore store, TestPeer peer)
        {
            (_folder, _store, Peer) = (folder, store, peer);
            Bitswap = new Bitswap(peer.Pool, store, Buffers, ExchangeSettings.Default, TimeProvider.System, new SeededRandom(1), NullLoggerFactory.Instance);
        }

        public TestPeer Peer { get; }

        public BlockBufferPool Buffers { get; } = new();

        public Bitswap Bitswap { get; }

        public static async Task<Node> StartAsync(CancellationToken cancellationToken)
        {
            string folder = Directory.CreateTempSubdirectory("p2p-exchange-").FullName;
            BlockStore store = await BlockStore.OpenAsync(Path.Combine(folder, "data"), new StoreOptions(), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
            TestPeer peer = await TestPeer.OnLoopback().ListenAsync(cancellationToken);
            var node = new Node(folder, store, peer);
            peer.Identify.Start();
            return node;
        }

        public Task ConnectAsync(Node other, CancellationToken cancellationToken) => Peer.ConnectAsync(other.Peer, cancellationToken);

        /// <summary>Shares a file of so many blocks, in place, without a DAG above them.</summary>
        public async Task<List<Cid>> ShareFileAsync(int blocks, int blockBytes, PeerId[] allowed)
        {
            string path = Path.Combine(_folder, "shared.bin");
            List<byte[]> parts = [.. Enumerable.Range(0, blocks).Select(each => BitswapTests.Bytes(blockBytes, each))];
            await File.WriteAllBytesAsync(path, [.. parts.SelectMany(static part => part)]);
            List<Cid> cids = [.. parts.Select(static part => Cid.OfRaw(part))];
            PinId pin = await _store.AddPinAsync(new Pin { Kind = PinKind.Shared, Root = cids[0], Path = path, AllowedPeers = allowed }, CancellationToken.None);
            using StoreBatch batch = _store.BeginBatch(pin);
            Assert.IsTrue(FileSystemDisk.Instance.TryGetIdentity(path, out FileIdentity identity));
            FileId file = batch.AddFile(path, identity).Id;
            for (int i = 0; i < blocks; i++)
                batch.AddReference(cids[i], file, (long)i * blockBytes, blockBytes);
            await batch.CommitAsync(Durability.Visible, CancellationToken.None);
            return cids;
        }

        public async ValueTask DisposeAsync()
        {
            await Bitswap.DisposeAsync();
            await Peer.DisposeAsync();
            await _store.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }

    private sealed class DialingSource(Node self, Node provider) : IProviderSource
    {
        public IReadOnlyList<DialAttempt> Attempts => [];

        public async IAsyncEnumerable<PeerId> FindAsync(Cid root, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await self.ConnectAsync(provider, cancellationToken);
            yield return provider.Peer.Id;
        }

        public async Task<bool> ReconnectAsync(PeerId peer, CancellationToken cancellationToken)
        {
            await self.Peer.Pool.ConnectAsync(provider.Peer.Address, AddressOrigin.User, cancellationToken);
            return true;
        }
    }
}
