using System.Globalization;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>The DHTs that a node takes part in: our own, and that of IPFS when the network is named so. Remembers peers for the next start.</summary>
internal sealed class DhtNetworks : IAsyncDisposable
{
    /// <summary>The network whose members are also looked for and told in the DHT of IPFS.</summary>
    public const string IpfsNetwork = "ipfs";

    private const string IpfsProtocol = "/ipfs/kad/1.0.0";
    private const string KnownPeersSetting = "dht/peers";

    /// <summary>Peers that are remembered (count), and dialed at the next start.</summary>
    private const int MaxRemembered = 32, MaxDialed = 8;

    private static readonly TimeSpan RememberInterval = TimeSpan.FromMinutes(5);

    /// <summary>How long after the start a caller waits for the first contact.</summary>
    private static readonly TimeSpan EntryPatience = TimeSpan.FromSeconds(5);

    /// <summary>The public entrances of the IPFS network, asked only when that network is named.</summary>
    private static readonly string[] IpfsBootstrap =
    [
        "/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
        "/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
        "/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
        "/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
        "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
    ];

    private readonly NodeSettings _settings;
    private readonly ConnectionPool _pool;
    private readonly BlockStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private string _remembered = "";
    private long _started;

    public DhtNetworks(NodeSettings settings, ConnectionPool pool, BlockStore store, NodeSeams seams)
    {
        (_settings, _pool, _store, _time) = (settings, pool, store, seams.Time);
        _logger = seams.Loggers.CreateLogger("P2P.Core.Node");
        if (settings.DhtMode == DhtMode.Off)
            return;
        bool listens = settings.ListenAddresses.Count > 0;
        string own = settings.IsDefaultNetwork ? "/p2p-files/kad/1.0.0" : $"/p2p-files/{settings.Network}/kad/1.0.0";
        Own = new DhtNode(pool, Settings(own, settings.DhtMode == DhtMode.Server || (settings.DhtMode == DhtMode.Auto && listens)), seams.Time, seams.ForkRandom(), seams.Loggers);
        All = settings.Network == IpfsNetwork
            ? [Own, new DhtNode(pool, Settings(IpfsProtocol, isServer: false), seams.Time, seams.ForkRandom(), seams.Loggers)]
            : [Own];
    }

    /// <summary>The DHT of our own nodes; null: it takes no part.</summary>
    public DhtNode? Own { get; }

    /// <summary>All of them.</summary>
    public IReadOnlyList<DhtNode> All { get; } = [];

    /// <summary>Peers to stay connected with besides those that the options name.</summary>
    public IEnumerable<Multiaddress> Bootstrap =>
        _settings.Network == IpfsNetwork && _settings.DhtMode != DhtMode.Off ? IpfsBootstrap.Select(static text => Multiaddress.Parse(text, CultureInfo.InvariantCulture)) : [];

    /// <summary>Whether anybody may be there to ask, now or soon.</summary>
    public bool MayFindAnybody => All.Any(dht => dht.ContactCount > 0) || (All.Count > 0 && (_settings.BootstrapPeers.Count > 0 || _settings.Network == IpfsNetwork || _remembered.Length > 0));

    /// <summary>Whether any of them has a contact.</summary>
    public bool HasContacts => All.Any(dht => dht.ContactCount > 0);

    /// <summary>As the public API shows it.</summary>
    public DhtStatus? Status => Own is null ? null : new DhtStatus(Own.IsServer, All.Sum(static dht => dht.ContactCount), Own.ProviderCount);

    /// <summary>The node listens from now on: others can reach it, so it answers them, unless the options say otherwise.</summary>
    public void OnListening()
    {
        if (_settings.DhtMode == DhtMode.Auto)
            Own?.SetServer(true);
    }

    /// <summary>Starts them.</summary>
    public void Start()
    {
        _remembered = _store.GetSetting(KnownPeersSetting) ?? "";
        _started = _time.GetTimestamp();
        foreach (DhtNode dht in All)
            dht.Start();
    }

    /// <summary>In the first seconds after the start waits for a contact, without which nobody is found and nobody can be told.</summary>
    public async Task EnterAsync(CancellationToken cancellationToken)
    {
        TimeSpan left = EntryPatience - _time.GetElapsedTime(_started);
        if (HasContacts || !MayFindAnybody || left <= TimeSpan.Zero)
            return;
        Task first = Task.WhenAny(All.Select(static dht => dht.HasContact));
        await first.WaitAsync(left, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Dials peers of the last run, then remembers those of this one now and then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (All.Count == 0)
            return;
        await Task.WhenAll(_remembered.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(MaxDialed).Select(text => TryDialAsync(text, cancellationToken))).ConfigureAwait(false);
        await Task.WhenAny(All.Select(static dht => dht.HasContact)).WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await RememberAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(RememberInterval, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes down who is there now.</summary>
    public async Task RememberAsync(CancellationToken cancellationToken)
    {
        string[] peers = [.. All.SelectMany(static dht => dht.GetContacts()).Where(static contact => contact.Addresses.Count > 0).DistinctBy(static contact => contact.Peer)
            .Take(MaxRemembered).Select(static contact => contact.Addresses[0].WithPeerId(contact.Peer).ToString())];
        string text = string.Join('\n', peers.Order(StringComparer.Ordinal));
        if (text.Length == 0 || text == _remembered)
            return;
        await _store.SetSettingAsync(KnownPeersSetting, text, cancellationToken).ConfigureAwait(false);
        _remembered = text;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DhtNode dht in All)
            await dht.DisposeAsync().ConfigureAwait(false);
    }

    private DhtNodeSettings Settings(string protocol, bool isServer) =>
        new() { Protocol = protocol, IsServer = isServer, RefreshInterval = _settings.DhtRefreshInterval, RequestTimeout = _settings.DialTimeout };

    private async Task TryDialAsync(string text, CancellationToken cancellationToken)
    {
        if (!Multiaddress.TryParse(text, CultureInfo.InvariantCulture, out Multiaddress? address) || address.PeerId is not { } peer)
            return;
        try
        {
            await _pool.ConnectAsync(peer, [address], AddressOrigin.User, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException e)
        {
            NodeLog.BootstrapFailed(_logger, address, e.Message);
        }
    }
}
