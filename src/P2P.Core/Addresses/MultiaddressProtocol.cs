
namespace P2P.Core.Addresses;

/// <summary>A protocol that may stand in a multiaddress: its number, its name and the size of its value. The registry's, as far as other implementations parse them.</summary>
/// <param name="Code">The number in the binary form.</param>
/// <param name="Name">The name in the text form.</param>
/// <param name="Bytes">The size of the value (bytes); 0 for none, <see cref="Variable"/> when a length precedes it.</param>
internal sealed record MultiaddressProtocol(int Code, string Name, int Bytes)
{
    /// <summary>The value's length is written before it.</summary>
    public const int Variable = -1;

    public const int Ip4Code = 4;
    public const int TcpCode = 6;
    public const int Ip6Code = 41;
    public const int Ip6ZoneCode = 42;
    public const int IpCidrCode = 43;
    public const int DnsCode = 53;
    public const int Dns4Code = 54;
    public const int Dns6Code = 55;
    public const int DnsaddrCode = 56;
    public const int UdpCode = 273;
    public const int CircuitCode = 290;
    public const int UnixCode = 400;
    public const int P2PCode = 421;
    public const int OnionCode = 444;
    public const int Onion3Code = 445;
    public const int Garlic64Code = 446;
    public const int Garlic32Code = 447;
    public const int SniCode = 449;
    public const int CerthashCode = 466;
    public const int HttpPathCode = 481;
    public const int MemoryCode = 777;

    /// <summary>Every protocol known here.</summary>
    public static readonly IReadOnlyList<MultiaddressProtocol> All =
    [
        new(Ip4Code, "ip4", 4),
        new(TcpCode, "tcp", 2),
        new(33, "dccp", 2),
        new(Ip6Code, "ip6", 16),
        new(Ip6ZoneCode, "ip6zone", Variable),
        new(IpCidrCode, "ipcidr", 1),
        new(DnsCode, "dns", Variable),
        new(Dns4Code, "dns4", Variable),
        new(Dns6Code, "dns6", Variable),
        new(DnsaddrCode, "dnsaddr", Variable),
        new(132, "sctp", 2),
        new(UdpCode, "udp", 2),
        new(275, "p2p-webrtc-star", 0),
        new(276, "p2p-webrtc-direct", 0),
        new(277, "p2p-stardust", 0),
        new(280, "webrtc-direct", 0),
        new(281, "webrtc", 0),
        new(CircuitCode, "p2p-circuit", 0),
        new(301, "udt", 0),
        new(302, "utp", 0),
        new(UnixCode, "unix", Variable),
        new(P2PCode, "p2p", Variable),
        new(443, "https", 0),
        new(OnionCode, "onion", 12),
        new(Onion3Code, "onion3", 37),
        new(Garlic64Code, "garlic64", Variable),
        new(Garlic32Code, "garlic32", Variable),
        new(448, "tls", 0),
        new(SniCode, "sni", Variable),
        new(454, "noise", 0),
        new(460, "quic", 0),
        new(461, "quic-v1", 0),
        new(465, "webtransport", 0),
        new(CerthashCode, "certhash", Variable),
        new(477, "ws", 0),
        new(478, "wss", 0),
        new(479, "p2p-websocket-star", 0),
        new(480, "http", 0),
        new(HttpPathCode, "http-path", Variable),

        // the registry says variable, go-multiaddr writes eight bytes; it names a process-local transport, so it is never sent
        new(MemoryCode, "memory", 8),
    ];

    private static readonly Dictionary<int, MultiaddressProtocol> ByCode = All.ToDictionary(protocol => protocol.Code);
    private static readonly Dictionary<string, MultiaddressProtocol> ByName = All.ToDictionary(protocol => protocol.Name, StringComparer.Ordinal);

    /// <summary>Whether its value takes the whole rest of the text, slashes included, so that nothing can follow it.</summary>
    public bool IsPath => Code == UnixCode;

    /// <summary>The protocol with this number.</summary>
    public static MultiaddressProtocol? Find(ulong code) => code <= int.MaxValue ? ByCode.GetValueOrDefault((int)code) : null;

    /// <summary>The protocol with this name; <c>ipfs</c> is an older name of <c>p2p</c>.</summary>
    public static MultiaddressProtocol? Find(ReadOnlySpan<char> name)
    {
        if (name.SequenceEqual("ipfs"))
        {
            return ByCode[P2PCode];
        }

        return ByName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out MultiaddressProtocol? protocol) ? protocol : null;
    }
}
