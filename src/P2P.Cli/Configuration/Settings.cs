using P2P.Core;

namespace P2P.Cli.Configuration;

/// <summary>The global options after command line, environment, file and defaults were laid over each other.</summary>
internal sealed class Settings
{
    /// <summary>The network when none is named.</summary>
    public const string DefaultNetwork = "p2p";

    /// <summary>The data folder as given; null: the system's default.</summary>
    public string? Data { get; set; }

    public IReadOnlyList<string> Listen { get; set; } = [];

    public IReadOnlyList<string> Peers { get; set; } = [];

    public bool NoLan { get; set; }

    /// <summary>The network as given; null: <see cref="DefaultNetwork"/>.</summary>
    public string? Network { get; set; }

    public string NodeName { get; set; } = "";

    public bool Json { get; set; }

    public bool Quiet { get; set; }

    public bool Verbose { get; set; }

    public string? Log { get; set; }

    /// <summary>The longest time without one new verified byte; null: the library's default.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Holds the rooms' options (storage, exchange, dht, limits); the rest of it stays at its defaults.</summary>
    public P2PNodeOptions Rooms { get; } = new();

    /// <summary>What the node had that this one comes after: the command did not name it, but ran with it until now.</summary>
    public InheritedSettings? Inherited { get; set; }

    /// <summary>Where each key's value comes from; a default's is not in it.</summary>
    public Dictionary<string, SettingSource> Sources { get; } = new(StringComparer.Ordinal);

    /// <summary>The configuration file; null when there is no data folder that it could lie in.</summary>
    public ConfigPlace? Config { get; init; }

    /// <summary>The network that a node of these settings is in.</summary>
    public string NetworkOfNode => Network ?? Inherited?.Network ?? DefaultNetwork;

    /// <summary>The peers that it is told of.</summary>
    public IEnumerable<string> PeersOfNode => Peers.Union(Inherited?.Peers ?? []);

    /// <summary>The addresses that it listens on; none: by default, or not at all.</summary>
    /// <param name="always">Whether it listens although no address was given.</param>
    public IReadOnlyList<string> ListenOfNode(bool always) => Listen.Count > 0 || !always ? Listen : Inherited?.Listen ?? [];

    /// <summary>What its node may send a second; null: as much as the network carries.</summary>
    public long? UpOfNode => Rooms.Limits.UploadBytesPerSecond ?? Inherited?.Up;

    /// <summary>What its node may receive a second; null: as much as the network carries.</summary>
    public long? DownOfNode => Rooms.Limits.DownloadBytesPerSecond ?? Inherited?.Down;

    /// <summary>Whether this command itself was told a value, by its line or a variable: what stands in the file holds from the next start of a node.</summary>
    public bool IsGiven(string key) => Sources.GetValueOrDefault(key).Origin is SettingOrigin.Environment or SettingOrigin.CommandLine;

    /// <summary>The absolute data folder.</summary>
    /// <exception cref="UsageException">None was given and the system has no default.</exception>
    public string DataFolderOf(ToolHost host) =>
        Path.GetFullPath(string.IsNullOrEmpty(Data) ? DataFolder.Default(host.Environment, host.System) : Data, host.CurrentDirectory);

    /// <summary>The absolute data folder, or null when none was given and the system has no default.</summary>
    public string? FindDataFolder(ToolHost host)
    {
        try
        {
            return DataFolderOf(host);
        }
        catch (UsageException)
        {
            return null;
        }
    }

    /// <summary>What a node of this process is started with.</summary>
    /// <param name="dataFolder">Its folder.</param>
    /// <param name="listen">Whether it accepts connections although no address was given.</param>
    public P2PNodeOptions ForNode(string dataFolder, bool listen) => new()
    {
        DataDirectory = dataFolder,
        NodeName = NodeName,
        Listen = listen || Listen.Count > 0,
        ListenAddresses = [.. ListenOfNode(listen)],
        BootstrapPeers = [.. PeersOfNode],
        Network = NetworkOfNode,
        Lan = new LanOptions { Enabled = !NoLan },
        Nat = Rooms.Nat,
        Storage = Rooms.Storage,
        Exchange = Rooms.Exchange,
        Dht = Rooms.Dht,
        Replication = Rooms.Replication,
        Limits = new LimitOptions // all of them; a test compares
        {
            MaxConnections = Rooms.Limits.MaxConnections,
            MaxConnectionsPerAddress = Rooms.Limits.MaxConnectionsPerAddress,
            MaxInboundStreamsPerPeer = Rooms.Limits.MaxInboundStreamsPerPeer,
            UploadBytesPerSecond = UpOfNode,
            DownloadBytesPerSecond = DownOfNode,
            IdleTimeout = Rooms.Limits.IdleTimeout,
            DialTimeout = Rooms.Limits.DialTimeout,
        },
    };
}

/// <summary>What a node had that another comes after.</summary>
internal sealed record InheritedSettings(string Network, IReadOnlyList<string> Listen, IReadOnlyList<string> Peers, long? Up, long? Down);
