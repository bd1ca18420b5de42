using P2P.Core.Node;

namespace P2P.Core;

/// <summary>How a node is set up. Read once at start and checked as a whole; changing it later does nothing.</summary>
/// <remarks>Collections start empty, and empty means the default that the property documents.</remarks>
public sealed class P2PNodeOptions
{
    /// <summary>The folder that holds the identity, the index and the blocks that have no file of their own. Created owner-only.
    /// Required, absolute or relative to the current folder; one running node per folder; not on a network file system.</summary>
    public string DataDirectory { get; set; } = "";

    /// <summary>The name that peers on the local network see. Default: the host name. At most 63 characters.</summary>
    public string NodeName { get; set; } = "";

    /// <summary>Whether to accept connections. Default true. A node that only fetches needs none.</summary>
    public bool Listen { get; set; } = true;

    /// <summary>Multiaddrs to listen on, for example <c>/ip4/0.0.0.0/tcp/4001</c>. Port 0 means: the port of the last run with that address
    /// if it is free, else a free one that is remembered. Empty: all IPv4 and IPv6 interfaces on a port chosen at the first run.</summary>
    public IList<string> ListenAddresses { get; set; } = [];

    /// <summary>Peers to connect to at start and to ask first, as multiaddrs that end in <c>/p2p/ID</c>. Empty: none.</summary>
    public IList<string> BootstrapPeers { get; set; } = [];

    /// <summary>The network to join: <c>p2p</c> (default) or <c>ipfs</c>, or a name of your own. A name, not a secret.</summary>
    public string Network { get; set; } = "p2p";

    /// <summary>Finding peers on the local network.</summary>
    public LanOptions Lan { get; set; } = new();

    /// <summary>Being reached from the internet.</summary>
    public NatOptions Nat { get; set; } = new();

    /// <summary>What may be kept on disk.</summary>
    public StorageOptions Storage { get; set; } = new();

    /// <summary>How blocks are asked for and served.</summary>
    public ExchangeOptions Exchange { get; set; } = new();

    /// <summary>Finding peers and content without being told where they are.</summary>
    public DhtOptions Dht { get; set; } = new();

    /// <summary>Disk for others, and copies kept by others.</summary>
    public ReplicationOptions Replication { get; set; } = new();

    /// <summary>Connections, streams and dials.</summary>
    public LimitOptions Limits { get; set; } = new();

    /// <summary>What a start would refuse them for, all of it, one sentence each that begins with the option's name and a colon; nothing when they are sound. Opens nothing.</summary>
    public IReadOnlyList<string> FindFaults() => NodeSettings.Check(this);

    /// <summary>A preset that listens on the loopback interface only, on free ports: for tests, demos and one machine.</summary>
    /// <param name="dataDirectory">See <see cref="DataDirectory"/>.</param>
    public static P2PNodeOptions Loopback(string dataDirectory) => new() { DataDirectory = dataDirectory, ListenAddresses = ["/ip4/127.0.0.1/tcp/0"] };

    /// <summary>
    /// A preset for one local network: peers are found by multicast DNS and beacons, no router is asked for a port, and the node takes no part in the DHT, so nothing
    /// of it is told beyond the network. A link that names addresses elsewhere is followed all the same.
    /// </summary>
    /// <param name="dataDirectory">See <see cref="DataDirectory"/>.</param>
    public static P2PNodeOptions LanOnly(string dataDirectory) => new() { DataDirectory = dataDirectory, Nat = new() { MapPorts = false }, Dht = new() { Mode = DhtMode.Off } };
}

/// <summary>Finding peers on the local network.</summary>
public sealed class LanOptions
{
    /// <summary>Whether peers on the local network are looked for by multicast DNS, and may find this node, which listens there. Default true.
    /// A node that listens on the loopback interface only neither asks nor is found.</summary>
    public bool Enabled { get; set; } = true;
}

/// <summary>Being reached from the internet.</summary>
public sealed class NatOptions
{
    /// <summary>Whether the router of a home network is asked to lead a port here, by PCP, NAT-PMP or UPnP, for as long as the node runs. Default true.
    /// A node that listens on the loopback interface only, or not at all, does not ask.</summary>
    public bool MapPorts { get; set; } = true;
}

/// <summary>What may be kept on disk.</summary>
public sealed class StorageOptions
{
    /// <summary>The most that blocks without a file of their own may take in the data folder (bytes). Default 10 GiB. At least 1 MiB.
    /// Too low: fetching large folders fails with <see cref="P2PErrorCode.Quota"/>.</summary>
    public long MaxOwnedBytes { get; set; } = 10L << 30;

    /// <summary>When the index is made anew from the blocks and the record of pins. Default <see cref="P2P.Core.IndexRebuild.Never"/>: a damaged index fails the start.
    /// The old one is kept beside the new one; <see cref="ContentStore.RepairAsync"/> then gives pins and shares their blocks again.</summary>
    public IndexRebuild IndexRebuild { get; set; }
}

/// <summary>How blocks are asked for and served.</summary>
public sealed class ExchangeOptions
{
    /// <summary>Whether what was fetched is served to others, as long as it lies where it was fetched to. Default false:
    /// nobody can probe what was downloaded. <see cref="FetchOptions.Seed"/> decides for one fetch.</summary>
    public bool ServeFetched { get; set; }

    /// <summary>The most bytes asked of one provider at a time. Default 32 MiB, 1 to 256 MiB: 32 MiB fills 1 Gbit/s at 250 ms.
    /// Lower starves long links; higher lets one slow peer hold many blocks.</summary>
    public int MaxWantedBytesPerPeer { get; set; } = 32 << 20;

    /// <summary>The most bytes queued for sending to all peers together. Default 64 MiB, at least 4 MiB.</summary>
    public int MaxServingBytes { get; set; } = 64 << 20;
}

/// <summary>Connections, streams, dials and bandwidth. Every limit is a number: none means unlimited.</summary>
public sealed class LimitOptions
{
    /// <summary>The least that <see cref="UploadBytesPerSecond"/> and <see cref="DownloadBytesPerSecond"/> can be: 16 KiB a second. Below, peers would take the node for dead.</summary>
    public const long MinBytesPerSecond = 16 * 1024;

    /// <summary>Open connections. Default 256, 8 to 65,536. Above it the one longest unused is closed.</summary>
    public int MaxConnections { get; set; } = 256;

    /// <summary>Open connections from one IP address, loopback exempt. Default 16, at least 1.</summary>
    public int MaxConnectionsPerAddress { get; set; } = 16;

    /// <summary>Streams that one peer may have open towards us. Default 256, 16 to 4,096.</summary>
    public int MaxInboundStreamsPerPeer { get; set; } = 256;

    /// <summary>What the node sends to all peers together (bytes a second, all that crosses the line), peers on this machine and on its local networks aside.
    /// Default null: as fast as the network; otherwise at least <see cref="MinBytesPerSecond"/>. After a pause a quarter of a second's worth, at least 64 KiB,
    /// goes out at once. Connections take turns. A limit that leaves each peer less than about 2 KiB a second makes some of them give up.</summary>
    public long? UploadBytesPerSecond { get; set; }

    /// <summary>What it receives from them, in the same way: what comes faster waits with the sender.</summary>
    public long? DownloadBytesPerSecond { get; set; }

    /// <summary>How long a connection that nobody uses stays open. Default 5 minutes, at least 10 seconds.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one attempt to reach an address may take, until the peer is authenticated. Default 10 seconds, 1 to 60 seconds.</summary>
    public TimeSpan DialTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
