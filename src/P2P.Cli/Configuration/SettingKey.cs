using System.Globalization;
using P2P.Cli.Parsing;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Configuration;

/// <summary>One thing that can be set: by a long option, by <c>P2P_&lt;OPTION&gt;</c> and in the configuration file.</summary>
/// <param name="Key">Its name in the file: the long option with <c>_</c>, rooms' options behind the room's name and a dot.</param>
/// <param name="Form">How the file writes it.</param>
/// <param name="Show">What holds, as it could be written into the file; nothing: there is no value.</param>
/// <param name="Apply">Sets it; throws <see cref="FormatException"/> with what is expected.</param>
internal sealed record SettingKey(string Key, SettingForm Form, Func<Settings, IReadOnlyList<string>> Show, Action<Settings, IReadOnlyList<string>> Apply)
{
    /// <summary>Whether several values may be given.</summary>
    public bool IsList => Form == SettingForm.List;

    /// <summary>Whether every command reads it anew, also on a node that runs; all others hold from the node's start to its end.</summary>
    public bool IsOfCommand => Key is "json" or "quiet" or "timeout";

    /// <summary>The environment variable: <c>P2P_NODE_NAME</c>, <c>P2P_LIMITS_MAX_CONNECTIONS</c>.</summary>
    public string Variable => "P2P_" + Key.Replace('.', '_').ToUpperInvariant();

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingKey> All { get; } =
    [
        Text("data", s => s.Data, (s, v) => s.Data = v),
        new("listen", SettingForm.List, s => s.Listen, (s, v) => s.Listen = Addresses(v, peerRequired: false)),
        new("peer", SettingForm.List, s => s.Peers, (s, v) => s.Peers = Addresses(v, peerRequired: true)),
        Flag("no_lan", s => s.NoLan, (s, v) => s.NoLan = v),
        Rate("up", s => s.Rooms.Limits.UploadBytesPerSecond, (s, v) => s.Rooms.Limits.UploadBytesPerSecond = v),
        Rate("down", s => s.Rooms.Limits.DownloadBytesPerSecond, (s, v) => s.Rooms.Limits.DownloadBytesPerSecond = v),
        Text("network", s => s.Network ?? Settings.DefaultNetwork, (s, v) => s.Network = v),
        Text("node_name", s => s.NodeName is { Length: > 0 } name ? name : Environment.MachineName, (s, v) => s.NodeName = v),
        Flag("json", s => s.Json, (s, v) => s.Json = v),
        Flag("quiet", s => s.Quiet, (s, v) => s.Quiet = v),
        Flag("verbose", s => s.Verbose, (s, v) => s.Verbose = v),
        Text("log", s => s.Log, (s, v) => s.Log = v),
        Time("timeout", s => s.Timeout ?? new FetchOptions().StallTimeout, (s, v) => s.Timeout = v),
        Flag("nat.map_ports", s => s.Rooms.Nat.MapPorts, (s, v) => s.Rooms.Nat.MapPorts = v),
        Size("storage.max_owned_bytes", s => s.Rooms.Storage.MaxOwnedBytes, (s, v) => s.Rooms.Storage.MaxOwnedBytes = v),
        Flag("exchange.serve_fetched", s => s.Rooms.Exchange.ServeFetched, (s, v) => s.Rooms.Exchange.ServeFetched = v),
        Size("exchange.max_wanted_bytes_per_peer", s => s.Rooms.Exchange.MaxWantedBytesPerPeer, (s, v) => s.Rooms.Exchange.MaxWantedBytesPerPeer = Int(v)),
        Size("exchange.max_serving_bytes", s => s.Rooms.Exchange.MaxServingBytes, (s, v) => s.Rooms.Exchange.MaxServingBytes = Int(v)),
        new("dht.mode", SettingForm.Text, s => [s.Rooms.Dht.Mode.ToString().ToLowerInvariant()], (s, v) => s.Rooms.Dht.Mode =
            Enum.TryParse(v[0], ignoreCase: true, out DhtMode mode) && Enum.IsDefined(mode) && !char.IsAsciiDigit(v[0][0])
                ? mode
                : throw new FormatException($"\"{v[0]}\" is no part in the DHT. Write auto, client, server or off.")),
        Time("dht.provide_interval", s => s.Rooms.Dht.ProvideInterval, (s, v) => s.Rooms.Dht.ProvideInterval = v),
        Time("dht.refresh_interval", s => s.Rooms.Dht.RefreshInterval, (s, v) => s.Rooms.Dht.RefreshInterval = v),
        Size("replication.offer_bytes", s => s.Rooms.Replication.OfferBytes, (s, v) => s.Rooms.Replication.OfferBytes = v),
        new("replication.offer_to", SettingForm.List,
            s => s.Rooms.Replication.OfferTo is { Count: > 0 } named ? [.. named] : ["local"],
            (s, v) => s.Rooms.Replication.OfferTo = [.. v]),
        Time("replication.grace", s => s.Rooms.Replication.Grace, (s, v) => s.Rooms.Replication.Grace = v),
        Time("replication.check_interval", s => s.Rooms.Replication.CheckInterval, (s, v) => s.Rooms.Replication.CheckInterval = v),
        Time("replication.delayed_repair_wait", s => s.Rooms.Replication.DelayedRepairWait, (s, v) => s.Rooms.Replication.DelayedRepairWait = v),
        Time("replication.lease", s => s.Rooms.Replication.Lease, (s, v) => s.Rooms.Replication.Lease = v),
        Count("limits.max_connections", s => s.Rooms.Limits.MaxConnections, (s, v) => s.Rooms.Limits.MaxConnections = v),
        Count("limits.max_connections_per_address", s => s.Rooms.Limits.MaxConnectionsPerAddress, (s, v) => s.Rooms.Limits.MaxConnectionsPerAddress = v),
        Count("limits.max_inbound_streams_per_peer", s => s.Rooms.Limits.MaxInboundStreamsPerPeer, (s, v) => s.Rooms.Limits.MaxInboundStreamsPerPeer = v),
        Time("limits.idle_timeout", s => s.Rooms.Limits.IdleTimeout, (s, v) => s.Rooms.Limits.IdleTimeout = v),
        Time("limits.dial_timeout", s => s.Rooms.Limits.DialTimeout, (s, v) => s.Rooms.Limits.DialTimeout = v),
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

    /// <summary>Whether keys stand below that name: <c>limits</c>.</summary>
    public static bool IsRoom(string name) => All.Any(setting => setting.Key.StartsWith(name + ".", StringComparison.Ordinal));

    /// <summary>A sentence of the library with the names that its options have here: <c>dht.mode</c> for <c>Dht:Mode</c>.</summary>
    public static string Translate(string sentence) => All
        .Where(static setting => setting.Key.Contains('.', StringComparison.Ordinal))
        .OrderByDescending(static setting => setting.Key.Length) // one name may be the beginning of another
        .Aggregate(sentence, static (text, setting) => text.Replace(setting.LibraryName, setting.Key, StringComparison.Ordinal));

    private string LibraryName => string.Concat(Key.Split('.', '_').Select(static word => $"{char.ToUpperInvariant(word[0])}{word[1..]}")).Insert(Key.IndexOf('.', StringComparison.Ordinal), ":");

    /// <summary>What is wrong with a name that is no key, and what it may have meant.</summary>
    public static string Unknown(string name)
    {
        string? nearest = NearestName.Find(name, All.Select(setting => setting.Key));
        return $"\"{name}\" is no setting.{(nearest is null ? "" : $" Did you mean \"{nearest}\"?")}";
    }

    private static SettingKey Text(string key, Func<Settings, string?> get, Action<Settings, string> set) =>
        new(key, SettingForm.Text, s => get(s) is { Length: > 0 } text ? [text] : [], (s, v) => set(s, v[0]));

    private static SettingKey Flag(string key, Func<Settings, bool> get, Action<Settings, bool> set) =>
        new(key, SettingForm.Flag, s => [get(s) ? "true" : "false"], (s, v) => set(s, v[0] switch
        {
            "true" or "1" => true,
            "false" or "0" or "" => false,
            _ => throw new FormatException($"\"{v[0]}\" is neither true nor false."),
        }));

    private static SettingKey Size(string key, Func<Settings, long> get, Action<Settings, long> set) =>
        new(key, SettingForm.Text, s => [ByteSize.FormatExact(get(s))], (s, v) => set(s, ByteSize.TryParse(v[0], out long bytes)
            ? bytes
            : throw new FormatException($"\"{v[0]}\" is no size. Write a number of bytes, or one with kB, MB, GB, TB, KiB, MiB, GiB or TiB.")));

    private static SettingKey Rate(string key, Func<Settings, long?> get, Action<Settings, long> set) =>
        new(key, SettingForm.Text, s => get(s) is { } rate ? [ByteSize.FormatExact(rate)] : [], (s, v) => set(s, !ByteRate.TryParse(v[0], out long rate)
            ? throw new FormatException($"\"{v[0]}\" is no rate. Write bytes a second: 2MB, 500KiB, or another size.")
            : rate >= LimitOptions.MinBytesPerSecond
                ? rate
                : throw new FormatException($"\"{v[0]}\" is too little: at least {ByteSize.FormatExact(LimitOptions.MinBytesPerSecond)} a second are needed. Leave it out for as fast as the network.")));

    private static SettingKey Count(string key, Func<Settings, int> get, Action<Settings, int> set) =>
        new(key, SettingForm.Count, s => [get(s).ToString(CultureInfo.InvariantCulture)], (s, v) => set(s, int.TryParse(v[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new FormatException($"\"{v[0]}\" is no whole number.")));

    private static SettingKey Time(string key, Func<Settings, TimeSpan> get, Action<Settings, TimeSpan> set) =>
        new(key, SettingForm.Text, s => [Duration.FormatExact(get(s))], (s, v) => set(s,
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
