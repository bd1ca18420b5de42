using System.Globalization;
using System.Net;
using System.Text;

namespace P2P.Core.Discovery;

/// <summary>
/// What libp2p peers ask and tell by multicast DNS (specs, discovery/mdns): the service <c>_p2p._udp.local</c> has an instance for each peer, under a name
/// that says nothing of it, whose texts are its addresses. Also what resolvers for people ask, so that other tools on the network list us.
/// </summary>
/// <param name="instance">The name of our instance: random, another in each process, so that it cannot be followed.</param>
internal sealed class PeerService(string instance)
{
    /// <summary>The service of all peers.</summary>
    public const string Name = "_p2p._udp.local";

    /// <summary>What lists all services.</summary>
    public const string AllServices = "_services._dns-sd._udp.local";

    private const string AddressPrefix = "dnsaddr=";
    private const uint TimeToLive = 120; // seconds: that of records with a host's name in them (RFC 6762, 10)
    private const int MaxTextBytes = 255, MaxPeers = 32, MaxAddresses = 16;

    /// <summary>The packet in which a peer's addresses have to find room (bytes).</summary>
    private const int MaxPacketBytes = 1_440;

    private readonly string _instanceName = $"{instance}.{Name}", _hostName = $"{instance}.local";

    /// <summary>Draws a name for an instance: 40 letters and digits.</summary>
    public static string NewInstance(Random random)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        return new string(random.GetItems<char>(Letters, 40));
    }

    /// <summary>Asks who is there.</summary>
    /// <param name="known">Instances that need not answer, with the time that they may still be kept (seconds).</param>
    public static DnsMessage Query(IReadOnlyList<(string Instance, uint TimeToLive)>? known = null) => new()
    {
        Questions = [new DnsQuestion(Name, DnsType.Ptr)],
        Answers = [.. (known ?? []).Select(static one => new DnsRecord(Name, DnsType.Ptr, one.TimeToLive) { Target = one.Instance })],
    };

    /// <summary>The peers that a message tells of, with their addresses; those that say good-bye come without.</summary>
    public static List<(PeerId Peer, List<Multiaddress> Addresses)> ReadPeers(DnsMessage message)
    {
        List<(PeerId Peer, List<Multiaddress> Addresses)> peers = [];
        if (!message.IsResponse)
            return peers;
        foreach (DnsRecord record in message.Answers.Concat(message.Additionals))
        {
            if (record.Type != DnsType.Txt || !record.Name.EndsWith("." + Name, StringComparison.OrdinalIgnoreCase))
                continue;
            foreach (byte[] text in record.Texts)
                Read(text, isGone: record.TimeToLive == 0, peers);
        }

        return peers;
    }

    /// <summary>Our answer to a query; null: it asks nothing of us, or knows it already.</summary>
    /// <param name="query">The query.</param>
    /// <param name="peer">Our id.</param>
    /// <param name="addresses">Where we can be reached on the interface that the query came in on.</param>
    public DnsMessage? Answer(DnsMessage query, PeerId peer, IReadOnlyList<Multiaddress> addresses)
    {
        if (query.IsResponse || addresses.Count == 0)
            return null;
        List<DnsRecord> answers = [], more = [];
        foreach (DnsQuestion question in query.Questions)
        {
            if (Is(question, AllServices, DnsType.Ptr))
                answers.Add(new DnsRecord(AllServices, DnsType.Ptr, TimeToLive) { Target = Name });
            if (Is(question, Name, DnsType.Ptr) && !Knows(query))
                AddInstance(answers, more, peer, addresses);
            if (Is(question, _instanceName, DnsType.Txt))
                answers.AddRange(Texts(peer, addresses, TimeToLive));
            if (Is(question, _instanceName, DnsType.Srv))
                answers.Add(Service(addresses));
            if (Is(question, _hostName, DnsType.A) || Is(question, _hostName, DnsType.Aaaa))
                answers.AddRange(Hosts(addresses).Where(host => question.Type is DnsType.Any || host.Type == question.Type));
        }

        return answers.Count == 0 ? null : Fit(new DnsMessage { Id = query.Id, IsResponse = true, Answers = answers, Additionals = more });
    }

    /// <summary>What is said without being asked, when we come or have moved; and with <paramref name="isGone"/> that we go.</summary>
    public DnsMessage Announce(PeerId peer, IReadOnlyList<Multiaddress> addresses, bool isGone = false)
    {
        uint timeToLive = isGone ? 0 : TimeToLive;
        List<DnsRecord> answers = [new DnsRecord(Name, DnsType.Ptr, timeToLive) { Target = _instanceName }, .. Texts(peer, addresses, timeToLive)];
        return Fit(new DnsMessage { IsResponse = true, Answers = answers });
    }

    private static void Read(byte[] text, bool isGone, List<(PeerId Peer, List<Multiaddress> Addresses)> peers)
    {
        string line = Encoding.UTF8.GetString(text);
        if (!line.StartsWith(AddressPrefix, StringComparison.OrdinalIgnoreCase)
            || !Multiaddress.TryParse(line[AddressPrefix.Length..], CultureInfo.InvariantCulture, out Multiaddress? address) || address.PeerId is not { } peer)
            return;
        int at = peers.FindIndex(one => one.Peer == peer);
        if (at < 0)
        {
            if (peers.Count == MaxPeers)
                return;
            at = peers.Count;
            peers.Add((peer, []));
        }

        List<Multiaddress> addresses = peers[at].Addresses;
        if (!isGone && addresses.Count < MaxAddresses && address.WithoutPeerId() is var plain && !addresses.Contains(plain))
            addresses.Add(plain);
    }

    private static bool Is(in DnsQuestion question, string name, DnsType type) => (question.Type == type || question.Type == DnsType.Any) && DnsNames.AreSame(question.Name, name);

    /// <summary>Whether who asks has told that it knows us, for more than half of the time that it may (RFC 6762, 7.1).</summary>
    private bool Knows(DnsMessage query) => query.Answers.Any(known =>
        known.Type == DnsType.Ptr && known.TimeToLive > TimeToLive / 2 && DnsNames.AreSame(known.Name, Name) && DnsNames.AreSame(known.Target, _instanceName));

    /// <summary>The texts are answers too: some implementations read nothing else.</summary>
    private void AddInstance(List<DnsRecord> answers, List<DnsRecord> more, PeerId peer, IReadOnlyList<Multiaddress> addresses)
    {
        answers.Add(new DnsRecord(Name, DnsType.Ptr, TimeToLive) { Target = _instanceName });
        answers.AddRange(Texts(peer, addresses, TimeToLive));
        more.Add(Service(addresses));
        more.AddRange(Hosts(addresses));
    }

    private IEnumerable<DnsRecord> Texts(PeerId peer, IReadOnlyList<Multiaddress> addresses, uint timeToLive)
    {
        foreach (Multiaddress address in addresses.Take(MaxAddresses))
        {
            byte[] text = Encoding.UTF8.GetBytes($"{AddressPrefix}{address.WithPeerId(peer)}");
            if (text.Length <= MaxTextBytes)
                yield return new DnsRecord(_instanceName, DnsType.Txt, timeToLive) { Texts = [text] };
        }
    }

    private DnsRecord Service(IReadOnlyList<Multiaddress> addresses) => new(_instanceName, DnsType.Srv, TimeToLive)
    {
        Target = _hostName,
        Port = addresses.Select(static address => address.TryGetEndPoint(out IPEndPoint? endPoint) ? (ushort)endPoint.Port : (ushort)0).FirstOrDefault(static port => port != 0),
        IsUnique = true,
    };

    private IEnumerable<DnsRecord> Hosts(IReadOnlyList<Multiaddress> addresses)
    {
        foreach (IPAddress address in addresses.Select(static address => address.TryGetIPAddress(out IPAddress? ip) ? ip : null).OfType<IPAddress>().Distinct().Take(MaxAddresses))
        {
            DnsType type = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa;
            yield return new DnsRecord(_hostName, type, TimeToLive) { Address = address, IsUnique = true };
        }
    }

    /// <summary>Leaves out what finds no room in one packet: first what goes with the answers, then the last addresses.</summary>
    private static DnsMessage Fit(DnsMessage message)
    {
        while (DnsMessageWriter.Write(message).Length > MaxPacketBytes)
        {
            if (message.Additionals.Count > 0)
                message = message with { Additionals = [.. message.Additionals.SkipLast(1)] };
            else if (message.Answers.Count > 2)
                message = message with { Answers = [.. message.Answers.SkipLast(1)] };
            else
                break;
        }

        return message;
    }
}
