using System.Globalization;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Configuration;

/// <summary>One thing that can be set: by a long option, by <c>P2P_&lt;OPTION&gt;</c> and in the configuration file.</summary>
/// <param name="Key">Its name in the file: the long option with <c>_</c>, rooms' options behind the room's name and a dot.</param>
/// <param name="IsList">Whether several values may be given.</param>
/// <param name="Apply">Sets it; throws <see cref="FormatException"/> with what is expected.</param>
internal sealed record SettingKey(string Key, bool IsList, Action<Settings, IReadOnlyList<string>> Apply)
{
    /// <summary>The environment variable: <c>P2P_NODE_NAME</c>, <c>P2P_LIMITS_MAX_CONNECTIONS</c>.</summary>
    public string Variable => "P2P_" + Key.Replace('.', '_').ToUpperInvariant();

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingKey> All { get; } =
    [
        Text("data", (s, v) => s.Data = v),
        new("listen", true, (s, v) => s.Listen = Addresses(v, peerRequired: false)),
        new("peer", true, (s, v) => s.Peers = Addresses(v, peerRequired: true)),
        Flag("no_lan", (s, v) => s.NoLan = v),
        Text("network", (s, v) => s.Network = v),
        Text("node_name", (s, v) => s.NodeName = v),
        Flag("json", (s, v) => s.Json = v),
        Flag("quiet", (s, v) => s.Quiet = v),
        Flag("verbose", (s, v) => s.Verbose = v),
        Text("log", (s, v) => s.Log = v),
        Time("timeout", (s, v) => s.Timeout = v),
        Flag("nat.map_ports", (s, v) => s.Rooms.Nat.MapPorts = v),
        Size("storage.max_owned_bytes", (s, v) => s.Rooms.Storage.MaxOwnedBytes = v),
        Flag("exchange.serve_fetched", (s, v) => s.Rooms.Exchange.ServeFetched = v),
        Size("exchange.max_wanted_bytes_per_peer", (s, v) => s.Rooms.Exchange.MaxWantedBytesPerPeer = Int(v)),
        Size("exchange.max_serving_bytes", (s, v) => s.Rooms.Exchange.MaxServingBytes = Int(v)),
        new("dht.mode", false, (s, v) => s.Rooms.Dht.Mode = Enum.TryParse(v[0], ignoreCase: true, out DhtMode mode) && Enum.IsDefined(mode) && !char.IsAsciiDigit(v[0][0])
            ? mode
            : throw new FormatException($"\"{v[0]}\" is no part in the DHT. Write auto, client, server or off.")),
        Time("dht.provide_interval", (s, v) => s.Rooms.Dht.ProvideInterval = v),
        Time("dht.refresh_interval", (s, v) => s.Rooms.Dht.RefreshInterval = v),
        Size("replication.offer_bytes", (s, v) => s.Rooms.Replication.OfferBytes = v),
        new("replication.offer_to", true, (s, v) => s.Rooms.Replication.OfferTo = [.. v]),
        Time("replication.grace", (s, v) => s.Rooms.Replication.Grace = v),
        Time("replication.check_interval", (s, v) => s.Rooms.Replication.CheckInterval = v),
        Time("replication.delayed_repair_wait", (s, v) => s.Rooms.Replication.DelayedRepairWait = v),
        Time("replication.lease", (s, v) => s.Rooms.Replication.Lease = v),
        Count("limits.max_connections", (s, v) => s.Rooms.Limits.MaxConnections = v),
        Count("limits.max_connections_per_address", (s, v) => s.Rooms.Limits.MaxConnectionsPerAddress = v),
        Count("limits.max_inbound_streams_per_peer", (s, v) => s.Rooms.Limits.MaxInboundStreamsPerPeer = v),
        Time("limits.idle_timeout", (s, v) => s.Rooms.Limits.IdleTimeout = v),
        Time("limits.dial_timeout", (s, v) => s.Rooms.Limits.DialTimeout = v),
    ];

    /// <summary>The key of that name, or null.</summary>
    public static SettingKey? Find(string key)
    {
        foreach (SettingKey setting in All)
        {
            if (setting.Key == key)
                return setting;
        }

        return null;
    }

    private static SettingKey Text(string key, Action<Settings, string> set) => new(key, false, (s, v) => set(s, v[0]));

    private static SettingKey Flag(string key, Action<Settings, bool> set) => new(key, false, (s, v) => set(s, v[0] switch
    {
        "true" or "1" => true,
        "false" or "0" or "" => false,
        _ => throw new FormatException($"\"{v[0]}\" is neither true nor false."),
    }));

    private static SettingKey Size(string key, Action<Settings, long> set) => new(key, false, (s, v) => set(s, ByteSize.TryParse(v[0], out long bytes)
        ? bytes
        : throw new FormatException($"\"{v[0]}\" is no size. Write a number of bytes, or one with kB, MB, GB, TB, KiB, MiB, GiB or TiB.")));

    private static SettingKey Count(string key, Action<Settings, int> set) => new(key, false, (s, v) => set(s, int.TryParse(v[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new FormatException($"\"{v[0]}\" is no whole number.")));

    private static SettingKey Time(string key, Action<Settings, TimeSpan> set) => new(key, false, (s, v) => set(s,
        Duration.TryParse(v[0], out TimeSpan time) || (v[0].Contains(':') && TimeSpan.TryParseExact(v[0], "c", CultureInfo.InvariantCulture, out time))
            ? (time > TimeSpan.Zero ? time : throw new FormatException($"\"{v[0]}\" must be longer than nothing."))
            : throw new FormatException($"\"{v[0]}\" is no time. Write 30s, 5m, 2h or 7d.")));

    private static string[] Addresses(IReadOnlyList<string> values, bool peerRequired)
    {
        foreach (string value in values)
        {
            if (!Multiaddress.TryParse(value, CultureInfo.InvariantCulture, out _))
                throw new FormatException($"\"{value}\" is no multiaddr. Write for example {(peerRequired ? "/ip4/192.0.2.7/tcp/24817/p2p/12D3KooW..." : "/ip4/0.0.0.0/tcp/4001")}.");
            if (peerRequired && !value.Contains("/p2p/", StringComparison.Ordinal))
                throw new FormatException($"\"{value}\" does not say which peer is there. End it with /p2p/ID.");
        }

        return [.. values];
    }

    private static int Int(long value) => value <= int.MaxValue ? (int)value : throw new FormatException($"{value} bytes are too many.");
}
