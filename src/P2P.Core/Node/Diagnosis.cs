using System.Globalization;
using System.Net;
using P2P.Core.Addresses;
using P2P.Core.Nat;

namespace P2P.Core.Node;

/// <summary>Says in sentences what is known about whether others reach a node, and what to do. Knows no network: facts come in, a report goes out.</summary>
internal static class Diagnosis
{
    public static ReachabilityReport Of(ReachabilityFacts facts)
    {
        List<string> advice = [];
        ReachabilityCheck[] checks = [Listening(facts), Router(facts, advice), Internet(facts, advice), Lan(facts, advice)];
        return new ReachabilityReport(facts.Internet, checks, advice)
        {
            ListenAddresses = facts.ListenAddresses,
            Mappings = facts.Mappings,
            SeenAt = [.. facts.SeenAt.Select(static ip => ip.ToString())],
            Tested = facts.Tested,
        };
    }

    private static ReachabilityCheck Listening(ReachabilityFacts facts)
    {
        const string Subject = "Listening";
        IPEndPoint[] ends = [.. facts.ListenAddresses.Select(static address => address.TryGetEndPoint(out IPEndPoint? end) ? end : null).OfType<IPEndPoint>()];
        IPEndPoint[] beyond = [.. ends.Where(static end => AddressScopes.Of(end.Address) != AddressScope.Loopback)];
        if (ends.Length == 0)
            return new(Subject, CheckState.Failed, "on no address: nobody can connect to this node");
        if (beyond.Length == 0)
            return new(Subject, CheckState.Unknown, "on this machine only");
        return new(Subject, CheckState.Ok, string.Join("; ", beyond.GroupBy(static end => end.Port).Select(static group => $"tcp {Text(group.Key)} on {string.Join(", ", group.Select(static end => end.Address))}")));
    }

    private static ReachabilityCheck Router(ReachabilityFacts facts, List<string> advice)
    {
        const string Subject = "Router";
        if (facts.ListenAddresses.Any(static address => address.Scope == AddressScope.Public) && facts.Routers.Count == 0)
            return new(Subject, CheckState.Ok, "not needed: this machine has a public address itself");
        if (!facts.MapsPorts)
            return new(Subject, CheckState.Unknown, "not asked for a port: the mapping of ports is switched off, or this node is for this machine only");
        if (facts.Mappings.FirstOrDefault(static mapping => mapping.External.Scope == AddressScope.Public) is { } mapped)
        {
            string text = $"port {Text(mapped.InternalPort)} mapped by {Name(mapped.Protocol)}: {At(mapped.External)} leads here (router {mapped.Router})";
            if (facts.SeenAt is not [var seen, ..] || (mapped.External.TryGetIPAddress(out IPAddress? ip) && facts.SeenAt.Contains(ip)) || facts.Internet == Reachability.Reachable)
                return new(Subject, CheckState.Ok, text);
            advice.Add($"The router says that its address is {ip}, but peers see this node at {seen}: another router, or a VPN, is in between. Forward the port there too, or switch the VPN off.");
            return new(Subject, CheckState.Failed, $"{text}, but peers see this node at {seen}");
        }

        if (facts.Mappings is [var inner, ..])
        {
            advice.Add("Ask the provider for a public IPv4 address, or put the first router into bridge mode: a port of the second one leads to the first only.");
            inner.External.TryGetIPAddress(out IPAddress? ip);
            return new(Subject, CheckState.Failed, $"double NAT: {Name(inner.Protocol)} gives {ip}, which is itself private");
        }

        if (facts.Routers is not [var router, ..])
            return new(Subject, CheckState.Unknown, "there is none: this machine is in no home network with a way out");
        if (facts.ListenAddresses.Count == 0)
            return new(Subject, CheckState.Unknown, "not asked for a port: this node does not listen");
        string port = facts.ListenAddresses.Select(static address => address.TryGetEndPoint(out IPEndPoint? end) ? Text(end.Port) : "").First();
        if (facts.Internet != Reachability.Reachable)
            advice.Add(facts.MappingFailures.Any(static failure => failure.IsAnswer) ? WhyNone(router, facts.SeenAt) : $"Switch on UPnP or NAT-PMP in the router at {router.Router}, or have it forward TCP port {port} to {router.Own} by hand.");
        string why = string.Join("; ", facts.MappingFailures.Select(static failure => $"{failure.Protocols}: {failure.Failure}"));
        return new(Subject, facts.Internet == Reachability.Reachable ? CheckState.Ok : CheckState.Failed, $"{router.Router} maps no port ({(why.Length > 0 ? why : "it was not asked yet")})");
    }

    /// <summary>What to do about a router that answers and gives no port. Many that have no public address themselves refuse so, and say no reason.</summary>
    private static string WhyNone(Gateway router, IReadOnlyList<IPAddress> seenAt) =>
        $"Look at the page of the router at {router.Router} which address it has on the internet. {(seenAt is [var seen, ..] ? $"Is it another than {seen}," : "Is it another than web pages that show your address say,")} "
        + "or does it begin with 10., 192.168., 172.16. to 172.31. or 100.64. to 100.127., this is double NAT: another router, or the provider, translates addresses once more, and only there a port can be opened. "
        + "Put the first router into bridge mode, or ask the provider for a public IPv4 address. Otherwise allow this machine to map ports by UPnP in the router.";

    private static ReachabilityCheck Internet(ReachabilityFacts facts, List<string> advice)
    {
        const string Subject = "Internet";
        string seen = facts.SeenAt.Count > 0 ? $"; peers see it at {string.Join(", ", facts.SeenAt.Take(3))}" : "";
        int peers = facts.Tested.Count == 0 ? 0 : facts.Tested.Max(static tested => tested.Peers);
        switch (facts.Internet)
        {
            case Reachability.Reachable:
                Multiaddress[] at = [.. facts.Tested.Where(static tested => tested.Reachability == Reachability.Reachable).Select(static tested => tested.Address).Union(facts.Confirmed)];
                return new(Subject, CheckState.Ok, $"reachable from outside at {string.Join(", ", at.Take(3).Select(At))}");
            case Reachability.Unreachable:
                if (facts.Mappings.FirstOrDefault(static mapping => mapping.External.Scope == AddressScope.Public) is { } mapped && advice.Count == 0)
                    advice.Add($"The router leads its port here, but what comes is dropped: let TCP port {Text(mapped.InternalPort)} through the firewall of this machine, and look whether the router or the provider blocks it.");
                else if (advice.Count == 0)
                    advice.Add("Let the port through the firewall of this machine and of the router, or ask the provider whether it blocks what comes in.");
                return new(Subject, CheckState.Failed, $"not reachable from outside ({Count(peers, "peer")} tried){seen}");
            default:
                return new(Subject, CheckState.Unknown, $"not known: no peer outside has been found that could try{seen}");
        }
    }

    private static ReachabilityCheck Lan(ReachabilityFacts facts, List<string> advice)
    {
        const string Subject = "LAN";
        if (facts.Lan is not { } interfaces)
            return new(Subject, CheckState.Unknown, "not looked at: switched off, or this node is for this machine only");
        if (interfaces.Count == 0)
            return new(Subject, CheckState.Unknown, "no interface to a local network");
        string[] works = [.. interfaces.Where(static one => one.Works).Select(static one => one.Name)];
        if (works.Length > 0)
            return new(Subject, CheckState.Ok, $"multicast DNS works on {string.Join(", ", works)}; {Count(facts.Neighbours, "peer")}");
        if (facts.Neighbours > 0)
            return new(Subject, CheckState.Ok, $"{Count(facts.Neighbours, "peer")} found by other means than multicast DNS, which does not get through on {string.Join(", ", interfaces.Select(static one => one.Name))}");
        advice.Add("Let UDP port 5353, or at least UDP port 26790, through the firewall of this machine (Windows: make the network a private one; macOS: System Settings, Privacy & Security, Local Network).");
        return new(Subject, CheckState.Failed, $"multicast DNS is blocked on {string.Join(", ", interfaces.Select(static one => one.Name))}: not even our own questions come back");
    }

    /// <summary>The name by which people know a protocol.</summary>
    public static string Name(MappingProtocol protocol) => protocol switch
    {
        MappingProtocol.Pcp => "PCP",
        MappingProtocol.NatPmp => "NAT-PMP",
        _ => "UPnP",
    };

    private static string At(Multiaddress address) => address.TryGetEndPoint(out IPEndPoint? end) ? end.ToString() : address.ToString();

    private static string Count(int count, string thing) => $"{Text(count)} {thing}{(count == 1 ? "" : "s")}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
