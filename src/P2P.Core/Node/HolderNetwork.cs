using System.Security.Cryptography;
using System.Text;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Primitives;
using P2P.Core.Replication;

namespace P2P.Core.Node;

/// <summary>
/// The Kademlia network that holders form among themselves: "closest" is closest in it, so nodes that hold nothing are never asked. It is entered through the
/// ordinary DHT, where holders say under one well-known key that they are some.
/// </summary>
internal sealed class HolderNetwork : IHolderDirectory, IAsyncDisposable
{
    /// <summary>So many holders known, and nobody looks for more ways in (count).</summary>
    private const int Enough = RoutingTableSettings.K;

    private static readonly TimeSpan EntryInterval = TimeSpan.FromMinutes(10), AnnounceRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EntryPatience = TimeSpan.FromSeconds(3);

    private readonly ConnectionPool _pool;
    private readonly DhtNode _dht;
    private readonly DhtNode _entrance;
    private readonly byte[] _rendezvous;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _entering = new(1);
    private long _entered;

    public HolderNetwork(NodeSettings settings, ConnectionPool pool, DhtNode entrance, NodeSeams seams)
    {
        (_pool, _entrance, _time) = (pool, entrance, seams.Time);
        string protocol = settings.IsDefaultNetwork ? ReplicaProtocol.KadId : $"/p2p-files/{settings.Network}/replica/kad/1.0.0";
        IsMember = settings.OfferBytes > 0;
        _dht = new DhtNode(
            pool,
            new DhtNodeSettings { Protocol = protocol, IsServer = IsMember, RefreshInterval = settings.DhtRefreshInterval, RequestTimeout = settings.DialTimeout },
            seams.Time,
            seams.ForkRandom(),
            seams.Loggers);
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes($"p2p-files/holders/1 {settings.Network}"));
        _rendezvous = [(byte)Multihash.Sha2_256, (byte)digest.Length, .. digest];
    }

    /// <summary>Whether this node is a holder.</summary>
    public bool IsMember { get; }

    /// <summary>Holders known.</summary>
    public int Count => _dht.ContactCount;

    /// <summary>Starts to take part.</summary>
    public void Start() => _dht.Start();

    /// <summary>Says that this node is a holder, and looks for others, again and again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!IsMember)
            return;
        await _entrance.HasContact.WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            ProvideResult told = await _entrance.ProvideAsync(_rendezvous, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
            await EnterAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(told.Told == 0 || Count == 0 ? AnnounceRetry : EntryInterval, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<IReadOnlyList<Contact>> FindClosestAsync(ReadOnlyMemory<byte> name, DialPurpose purpose, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        return Count == 0 ? [] : await _dht.FindClosestAsync(name, purpose, cancellationToken).ConfigureAwait(false);
    }

    public IReadOnlyList<Contact> GetClosest(DhtKey point, int count) => _dht.Closest(point, count);

    public bool IsHolder(PeerId peer) => _dht.Closest(DhtKey.Of(peer), 1) is [Contact closest] && closest.Peer == peer;

    public bool IsAmongClosest(DhtKey point, int count)
    {
        Contact[] closest = _dht.Closest(point, count);
        return closest.Length < count || point.CompareDistance(DhtKey.Of(_pool.Self), closest[^1].Key) < 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _dht.DisposeAsync().ConfigureAwait(false);
        _entering.Dispose();
    }

    /// <summary>Gets to know holders, unless enough are known or it was tried a moment ago.</summary>
    private async Task EnterAsync(CancellationToken cancellationToken)
    {
        if (Count >= Enough || _entrance.ContactCount == 0)
            return;
        await _entering.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_entered != 0 && _time.GetElapsedTime(_entered) < (Count == 0 ? AnnounceRetry : EntryInterval) && !IsMember)
                return;
            _entered = _time.GetTimestamp();
            List<Task> dials = [];
            await foreach (Contact holder in _entrance.FindProvidersAsync(_rendezvous, Enough, cancellationToken).ConfigureAwait(false))
                dials.Add(TryConnectAsync(holder, cancellationToken));
            await Task.WhenAll(dials).ConfigureAwait(false);
            if (dials.Count > 0 && Count == 0)
                await _dht.HasContact.WaitAsync(EntryPatience, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // until one has said what it is
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            _entering.Release();
        }
    }

    private async Task TryConnectAsync(Contact holder, CancellationToken cancellationToken)
    {
        try
        {
            Connection connection = await _pool.ConnectAsync(holder.Peer, holder.Addresses, AddressOrigin.Peer, cancellationToken).ConfigureAwait(false);
            await _dht.CheckAsync(new Contact(connection.RemotePeer, holder.Addresses), cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException)
        {
            // one that is gone: its statement ends by itself, and others are known
        }
    }
}
