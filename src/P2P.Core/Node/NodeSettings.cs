using System.Globalization;
using P2P.Core.Replication;

namespace P2P.Core.Node;

/// <summary>The options of a node, checked and frozen. What the rooms see instead of the public, settable classes.</summary>
internal sealed record NodeSettings
{
    /// <summary>Listened on when the options name nothing: every interface, on the port kept in the data folder.</summary>
    private static readonly string[] DefaultListenAddresses = ["/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"];

    private const string DefaultNetwork = "p2p";

    public required string DataDirectory { get; init; }

    public required string NodeName { get; init; }

    public required IReadOnlyList<Multiaddress> ListenAddresses { get; init; }

    /// <summary>Whether the addresses are the documented default, for which a taken port is replaced with a warning.</summary>
    public required bool ListensByDefault { get; init; }

    public required IReadOnlyList<Multiaddress> BootstrapPeers { get; init; }

    public required string Network { get; init; }

    public required bool LooksOnLan { get; init; }

    public required bool MapsPorts { get; init; }

    public required long MaxOwnedBytes { get; init; }

    public required IndexRebuild IndexRebuild { get; init; }

    public required bool ServeFetched { get; init; }

    public required int MaxWantedBytesPerPeer { get; init; }

    public required int MaxServingBytes { get; init; }

    public required DhtMode DhtMode { get; init; }

    public required TimeSpan ProvideInterval { get; init; }

    public required TimeSpan DhtRefreshInterval { get; init; }

    public required long OfferBytes { get; init; }

    public required OfferAudience OfferAudience { get; init; }

    public required IReadOnlySet<PeerId> OfferAdmitted { get; init; }

    public required TimeSpan Grace { get; init; }

    public required TimeSpan CheckInterval { get; init; }

    public required TimeSpan DelayedRepairWait { get; init; }

    public required TimeSpan LeaseDuration { get; init; }

    /// <summary>Whether the network is our own default one, under whatever name.</summary>
    public bool IsDefaultNetwork => Network is DefaultNetwork or DhtNetworks.IpfsNetwork;

    public required int MaxConnections { get; init; }

    public required int MaxConnectionsPerAddress { get; init; }

    public required int MaxInboundStreamsPerPeer { get; init; }

    public required long? UploadBytesPerSecond { get; init; }

    public required long? DownloadBytesPerSecond { get; init; }

    public required TimeSpan IdleTimeout { get; init; }

    public required TimeSpan DialTimeout { get; init; }

    /// <summary>Whether it lives on this machine alone: it listens on, or knows nobody but on, the loopback interface.</summary>
    public bool IsLoopbackOnly => (ListenAddresses.Count > 0 ? ListenAddresses : BootstrapPeers) is { Count: > 0 } own && own.All(static address => address.Scope == Addresses.AddressScope.Loopback);

    /// <summary>Checks everything and copies it; on any fault the message lists each, with its key.</summary>
    /// <exception cref="ArgumentException">At least one option is wrong.</exception>
    public static NodeSettings From(P2PNodeOptions options)
    {
        List<string> faults = [];
        NodeSettings settings = Read(options, faults);
        return faults.Count == 0 ? settings : throw new ArgumentException($"The node's options are wrong: {string.Join(" ", faults)}", nameof(options));
    }

    /// <summary>The faults of the options, one sentence each, beginning with the key.</summary>
    public static IReadOnlyList<string> Check(P2PNodeOptions options)
    {
        List<string> faults = [];
        _ = Read(options, faults);
        return faults;
    }

    private static NodeSettings Read(P2PNodeOptions options, List<string> faults)
    {
        string folder = options.DataDirectory ?? "";
        if (string.IsNullOrWhiteSpace(folder))
            faults.Add("DataDirectory: name the folder that is to hold the identity and the index.");

        string name = string.IsNullOrEmpty(options.NodeName) ? Environment.MachineName : options.NodeName;
        if (name.Length > 63)
            faults.Add($"NodeName: has {name.Length} characters, at most 63 are allowed.");
        if (string.IsNullOrEmpty(options.Network) || options.Network.Length > 63 || options.Network.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            faults.Add($"Network: '{options.Network}' is not a name of 1 to 63 letters, digits, '-', '_' and '.'.");

        bool byDefault = options.Listen && options.ListenAddresses is null or { Count: 0 };
        IEnumerable<string> listen = !options.Listen ? [] : byDefault ? DefaultListenAddresses : options.ListenAddresses!;
        var limits = options.Limits ?? new LimitOptions();
        var exchange = options.Exchange ?? new ExchangeOptions();
        var storage = options.Storage ?? new StorageOptions();
        var dht = options.Dht ?? new DhtOptions();
        var replication = options.Replication ?? new ReplicationOptions();
        (OfferAudience audience, HashSet<PeerId> admitted) = ReadAudience(replication.OfferTo ?? [], faults);
        if (!Enum.IsDefined(dht.Mode))
            faults.Add($"Dht:Mode: {dht.Mode} is none of {string.Join(", ", Enum.GetNames<DhtMode>())}.");
        FindContradictions(dht, replication, faults);
        return new NodeSettings
        {
            DataDirectory = string.IsNullOrWhiteSpace(folder) ? "" : Path.GetFullPath(folder),
            NodeName = name,
            ListenAddresses = ParseAll(listen, "ListenAddresses", needsPeer: false, faults),
            ListensByDefault = byDefault,
            BootstrapPeers = ParseAll(options.BootstrapPeers ?? [], "BootstrapPeers", needsPeer: true, faults),
            Network = options.Network ?? "",
            LooksOnLan = (options.Lan ?? new LanOptions()).Enabled,
            MapsPorts = (options.Nat ?? new NatOptions()).MapPorts,
            MaxOwnedBytes = Range(storage.MaxOwnedBytes, 1 << 20, long.MaxValue, "Storage:MaxOwnedBytes", faults),
            IndexRebuild = storage.IndexRebuild,
            ServeFetched = exchange.ServeFetched,
            MaxWantedBytesPerPeer = (int)Range(exchange.MaxWantedBytesPerPeer, 1 << 20, 256 << 20, "Exchange:MaxWantedBytesPerPeer", faults),
            MaxServingBytes = (int)Range(exchange.MaxServingBytes, 4 << 20, int.MaxValue, "Exchange:MaxServingBytes", faults),
            DhtMode = dht.Mode,
            ProvideInterval = Range(dht.ProvideInterval, TimeSpan.FromMinutes(1), TimeSpan.FromDays(2), "Dht:ProvideInterval", faults),
            DhtRefreshInterval = Range(dht.RefreshInterval, TimeSpan.FromSeconds(10), TimeSpan.FromDays(1), "Dht:RefreshInterval", faults),
            OfferBytes = Range(replication.OfferBytes, 0, long.MaxValue / 4, "Replication:OfferBytes", faults),
            OfferAudience = audience,
            OfferAdmitted = admitted,
            Grace = Range(replication.Grace, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), "Replication:Grace", faults),
            CheckInterval = Range(replication.CheckInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), "Replication:CheckInterval", faults),
            DelayedRepairWait = Range(replication.DelayedRepairWait, TimeSpan.Zero, TimeSpan.FromDays(7), "Replication:DelayedRepairWait", faults),
            LeaseDuration = Range(replication.Lease, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), "Replication:Lease", faults),
            MaxConnections = (int)Range(limits.MaxConnections, 8, 65_536, "Limits:MaxConnections", faults),
            MaxConnectionsPerAddress = (int)Range(limits.MaxConnectionsPerAddress, 1, 65_536, "Limits:MaxConnectionsPerAddress", faults),
            MaxInboundStreamsPerPeer = (int)Range(limits.MaxInboundStreamsPerPeer, 16, 4_096, "Limits:MaxInboundStreamsPerPeer", faults),
            UploadBytesPerSecond = Rate(limits.UploadBytesPerSecond, "Limits:UploadBytesPerSecond", faults),
            DownloadBytesPerSecond = Rate(limits.DownloadBytesPerSecond, "Limits:DownloadBytesPerSecond", faults),
            IdleTimeout = Range(limits.IdleTimeout, TimeSpan.FromSeconds(10), TimeSpan.FromDays(1), "Limits:IdleTimeout", faults),
            DialTimeout = Range(limits.DialTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), "Limits:DialTimeout", faults),
        };
    }

    /// <summary>Options that are sound alone and of no use together. What is merely of no effect, such as mapped ports of a node on the loopback interface, is none.</summary>
    private static void FindContradictions(DhtOptions dht, ReplicationOptions replication, List<string> faults)
    {
        if (dht.Mode == DhtMode.Off && replication.OfferBytes > 0)
            faults.Add("Replication:OfferBytes: who offers disk is found through the DHT, and with Dht:Mode off no part is taken in it. Choose another mode, or offer nothing.");
        if (replication.Lease > TimeSpan.Zero && replication.CheckInterval > replication.Lease / 2)
            faults.Add($"Replication:Lease: a lease of {replication.Lease:c} may end before it is renewed, which a look every {replication.CheckInterval:c} (Replication:CheckInterval) does in the second half of it. Make it at least twice as long as that.");
    }

    private static (OfferAudience Audience, HashSet<PeerId> Admitted) ReadAudience(IEnumerable<string> texts, List<string> faults)
    {
        OfferAudience audience = OfferAudience.Local;
        HashSet<PeerId> admitted = [];
        int index = 0;
        foreach (string text in texts)
        {
            if (text == "anyone")
                audience = OfferAudience.Anyone;
            else if (PeerId.TryParse(text, null, out PeerId peer))
                admitted.Add(peer);
            else if (text != "local")
                faults.Add($"Replication:OfferTo:{index}: '{text}' is neither local, anyone nor a peer id.");
            index++;
        }

        return (audience, admitted);
    }

    private static List<Multiaddress> ParseAll(IEnumerable<string> texts, string key, bool needsPeer, List<string> faults)
    {
        List<Multiaddress> parsed = [];
        int index = 0;
        foreach (string text in texts)
        {
            if (!Multiaddress.TryParse(text, null, out Multiaddress? address))
                faults.Add($"{key}:{index}: '{text}' is not a multiaddr such as /ip4/127.0.0.1/tcp/4001.");
            else if (needsPeer && address.PeerId is null)
                faults.Add($"{key}:{index}: '{text}' does not end in /p2p/ID, which says who must answer there.");
            else
                parsed.Add(address);
            index++;
        }

        return parsed;
    }

    private static long Range(long value, long least, long most, string key, List<string> faults)
    {
        if (value < least || value > most)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{key}: {value} is not between {least} and {most}."));
        return value;
    }

    private static long? Rate(long? value, string key, List<string> faults)
    {
        if (value < LimitOptions.MinBytesPerSecond)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{key}: {value} bytes a second are too few, at least {LimitOptions.MinBytesPerSecond} are needed. No value means as fast as the network."));
        return value;
    }

    private static TimeSpan Range(TimeSpan value, TimeSpan least, TimeSpan most, string key, List<string> faults)
    {
        if (value < least || value > most)
            faults.Add($"{key}: {value:c} is not between {least:c} and {most:c}.");
        return value;
    }
}
