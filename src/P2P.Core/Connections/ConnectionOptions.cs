using System.Net;
using P2P.Core.Addresses;
using P2P.Core.Muxer;
using P2P.Core.SecureChannel;

namespace P2P.Core.Connections;

/// <summary>Limits and times of the connection pool. Each limit names what happens when it is reached.</summary>
internal sealed record ConnectionOptions
{
    /// <summary>Open connections (count). Default 256. When full an idle one makes room, otherwise the new one is refused.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Open connections that others dialed (count). Default 192, so that a quarter stays for our own dials. When full an idle inbound one makes room.</summary>
    public int MaxInboundConnections { get; init; } = 192;

    /// <summary>Open inbound connections from one IP address (count). Default 32; more are refused. Loopback is exempt.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 32;

    /// <summary>Inbound handshakes under way (count). Default 256. When full the one that deserves it least is closed, see <see cref="InboundGate"/>.</summary>
    public int MaxUnfinishedHandshakes { get; init; } = 256;

    /// <summary>Inbound handshakes under way from one /24 (IPv4) or /48 (IPv6). Default 16. Loopback is exempt.</summary>
    public int MaxUnfinishedHandshakesPerPrefix { get; init; } = 16;

    /// <summary>From a connected socket to a working muxer, all steps together. Default 10 s; shorter cuts off slow links, longer keeps half-open ones.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a TCP connection to be answered. Default 5 s.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an address is tried alone before the next one is tried beside it. Default 250 ms (RFC 8305).</summary>
    public TimeSpan DialStagger { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Addresses tried in one dial (count). Default 32, the best first; the rest is left out.</summary>
    public int MaxAddressesPerDial { get; init; } = 32;

    /// <summary>Dials in flight to one IP address (count). Default 2; more wait. Loopback is exempt.</summary>
    public int MaxDialsPerIp { get; init; } = 2;

    /// <summary>Dials in flight that somebody waits for (count). Default 16; more wait. Loopback and on-link addresses are exempt.</summary>
    public int MaxDialsInFlight { get; init; } = 16;

    /// <summary>Dials in flight of background work (count). Default 8; more wait.</summary>
    public int MaxBackgroundDialsInFlight { get; init; } = 8;

    /// <summary>For the protocol of one stream to be agreed. Default 10 s; then the stream is reset.</summary>
    public TimeSpan NegotiationTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection without streams and holds is closed after this. Default 5 min.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a connection that lost against another to the same peer is kept after its last stream. Default 1 s: the other side may be opening one.</summary>
    public TimeSpan SupersededGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long such a connection is kept with streams open that carry nothing. Default 5 s.</summary>
    public TimeSpan SupersededQuiet { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For saying goodbye and flushing when a connection closes. Default 2 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Streams opened by others and being served, over all connections (count). Default 4096; more are reset.</summary>
    public int MaxInboundStreams { get; init; } = 4096;

    /// <summary>What a stream may still receive while it closes in good order (bytes). Default 64 KiB; then it is reset.</summary>
    public int MaxLingerBytes { get; init; } = 64 * 1024;

    /// <summary>What all connections together send (bytes a second), those with peers on this machine and its networks aside. Default null: as fast as the network.</summary>
    public long? UploadBytesPerSecond { get; init; }

    /// <summary>The same for what they receive.</summary>
    public long? DownloadBytesPerSecond { get; init; }

    /// <summary>The muxer of each connection.</summary>
    public YamuxOptions Muxer { get; init; } = new();

    /// <summary>The secure channel of each connection.</summary>
    public NoiseOptions Noise { get; init; } = new();

    /// <summary>The networks that this machine is part of, which decide whether a private address told by a peer may be dialed.</summary>
    public Func<IReadOnlyList<IPNetwork>> OnLink { get; init; } = static () => OnLinkNetworks.Current();

    /// <summary>Turns a host name into addresses; the system's resolver by default.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> ResolveHost { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Reads the texts (TXT records) of a name, one string a record, none when it has none; asks the system's name servers by default. Fails with an <see cref="IOException"/>.</summary>
    public Func<string, CancellationToken, Task<IReadOnlyList<string>>> ResolveTexts { get; init; } = NameTexts.QueryAsync;
}
