using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Discovery;

/// <summary>
/// Finds peers of the local network by multicast DNS and by beacons, and lets them find us: on each interface, as they come and go. Thread-safe.
/// </summary>
/// <param name="self">Our id.</param>
/// <param name="system">The machine.</param>
/// <param name="listenAddresses">Where we listen now, each address of the machine by itself; empty: we ask and are not found.</param>
/// <param name="onFound">Told of peers that are new or have moved.</param>
/// <param name="onGone">Told of peers that are gone.</param>
/// <param name="time">The clock.</param>
/// <param name="random">For names and pauses.</param>
/// <param name="logger">Where its log goes.</param>
internal sealed class LanDiscovery(
    PeerId self,
    ILanSystem system,
    Func<IReadOnlyList<Multiaddress>> listenAddresses,
    Action<PeerId, IReadOnlyList<Multiaddress>> onFound,
    Action<PeerId> onGone,
    TimeProvider time,
    Random random,
    ILogger logger)
{
    /// <summary>How often interfaces are looked at: one that comes back is used again within this time.</summary>
    private static readonly TimeSpan InterfaceInterval = TimeSpan.FromSeconds(3);

    private readonly PeerService _service = new(PeerService.NewInstance(random));
    private readonly Dictionary<(string Name, AddressFamily? Family), ILanLink> _links = []; // of the loop alone; without a family: beacons
    private readonly Lock _gate = new(); // guards the peers
    private readonly LanPeers _peers = new(self);
    private readonly long _started = time.GetTimestamp();
    private volatile IReadOnlyList<LanInterface> _cards = [];
    private volatile IReadOnlyList<MulticastDnsLink> _open = []; // for those who ask whether multicast gets through

    /// <summary>Everybody who is there.</summary>
    public IReadOnlyList<(PeerId Peer, IReadOnlyList<Multiaddress> Addresses)> Peers
    {
        get
        {
            lock (_gate)
                return _peers.All;
        }
    }

    /// <summary>The interfaces that are used, and whether packets get through there.</summary>
    public IReadOnlyList<(string Name, bool Works)> Interfaces =>
        [.. _open.GroupBy(static link => link.Card.Name).Select(static links => (links.Key, links.Any(static link => !link.IsOver && link.HearsItself)))];

    /// <summary>The interfaces as they were seen last: another list when any has changed.</summary>
    public IReadOnlyList<LanInterface> Cards => _cards;

    /// <summary>A peer of the local network was reached, however it was found.</summary>
    public void OnReached(PeerId peer, Multiaddress address) => OnTold(peer, [address]);

    /// <summary>A peer that was found is connected, so that it need not make itself known.</summary>
    public void OnStillThere(PeerId peer)
    {
        lock (_gate)
            _peers.OnStillThere(peer, time.GetElapsedTime(_started));
    }

    /// <summary>Runs until it is cancelled, then says good-bye.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await FollowInterfacesAsync().ConfigureAwait(false);
                DropSilent();
                await Task.Delay(InterfaceInterval, time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await Task.WhenAll(_links.Values.Select(static link => link.DisposeAsync().AsTask())).ConfigureAwait(false);
            _links.Clear();
        }
    }

    private async Task FollowInterfacesAsync()
    {
        IReadOnlyList<LanInterface> cards;
        try
        {
            cards = system.GetInterfaces();
        }
        catch (NetworkInformationException error)
        {
            DiscoveryLog.LinkFailed(logger, "any", error.Message); // one went away while the system was asked
            return;
        }

        if (cards.Count != _cards.Count || !cards.Zip(_cards).All(static pair => pair.First.Name == pair.Second.Name && pair.First.IsSame(pair.Second)))
            _cards = cards;
        foreach (((string Name, AddressFamily? Family) key, ILanLink link) in _links.ToList())
        {
            if (!link.IsOver && cards.Any(card => card.Name == key.Name && card.IsSame(link.Card)))
            {
                link.AnnounceChanges();
                continue;
            }

            _links.Remove(key);
            await link.DisposeAsync().ConfigureAwait(false);
        }

        foreach (LanInterface card in cards)
        {
            foreach (AddressFamily family in new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 })
            {
                if (card.Has(family) && !_links.ContainsKey((card.Name, family)))
                    TryOpen(card, family);
            }

            if (card.Has(AddressFamily.InterNetwork) && !_links.ContainsKey((card.Name, null)))
                TryOpenBeacon(card);
        }

        _open = [.. _links.Values.OfType<MulticastDnsLink>()];
    }

    private void TryOpen(LanInterface card, AddressFamily family)
    {
        try
        {
            ILanChannel channel = system.Open(card, family);
            _links[(card.Name, family)] = new MulticastDnsLink(card, channel, _service, self, AddressesOn, OnTold, time, new Random(random.Next()), logger);
            DiscoveryLog.LinkOpened(logger, card.Name, family);
        }
        catch (SocketException error)
        {
            DiscoveryLog.LinkFailed(logger, card.Name, error.Message);
        }
    }

    private void TryOpenBeacon(LanInterface card)
    {
        try
        {
            ILanChannel channel = system.OpenBeacon(card);
            _links[(card.Name, null)] = new BeaconLink(card, channel, self, AddressesOn, OnTold, OnLeft, time, new Random(random.Next()), logger);
            DiscoveryLog.BeaconOpened(logger, card.Name);
        }
        catch (SocketException error)
        {
            DiscoveryLog.BeaconFailed(logger, card.Name, error.Message);
        }
    }

    private IReadOnlyList<Multiaddress> AddressesOn(LanInterface card) =>
        [.. listenAddresses().Where(address => address.TryGetIPAddress(out IPAddress? ip) && card.IsOwn(ip))];

    private void OnTold(PeerId peer, IReadOnlyList<Multiaddress> addresses)
    {
        bool isGone = addresses.Count == 0;
        lock (_gate)
        {
            if (!(isGone ? _peers.OnGone(peer) : _peers.OnSeen(peer, addresses, time.GetElapsedTime(_started))))
                return;
            addresses = _peers.AddressesOf(peer); // on all interfaces
        }

        DiscoveryLog.Told(logger, peer, isGone ? "is gone" : $"is at {string.Join(", ", addresses)}");
        if (isGone)
            onGone(peer);
        else
            onFound(peer, addresses);
    }

    private void OnLeft(PeerId peer, IPAddress from)
    {
        lock (_gate)
        {
            if (!_peers.OnGone(peer, from))
                return;
        }

        DiscoveryLog.Told(logger, peer, "is gone");
        onGone(peer);
    }

    private void DropSilent()
    {
        IReadOnlyList<PeerId> silent;
        lock (_gate)
            silent = _peers.Expire(time.GetElapsedTime(_started));
        foreach (PeerId peer in silent)
        {
            DiscoveryLog.Told(logger, peer, "is silent");
            onGone(peer);
        }
    }
}
