using P2P.Core.Discovery;
using P2P.Testing;

namespace P2P.Core.Tests.Discovery;

/// <summary>Goal: peers on one network learn of each other by multicast DNS as libp2p has it, and of nothing else.</summary>
[TestClass]
public sealed class PeerServiceTests
{
    private static readonly PeerId Peer = PeerId.Parse("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");
    private static readonly Multiaddress[] Addresses = [Multiaddress.Parse("/ip4/10.0.0.1/tcp/4001"), Multiaddress.Parse("/ip6/fd00::1/tcp/4001")];

    [TestMethod]
    public void Who_asks_for_peers_learns_our_id_and_addresses()
    {
        DnsMessage answer = Pass(new PeerService("abc").Answer(Pass(PeerService.Query()), Peer, Addresses)!);
        (PeerId peer, List<Multiaddress> addresses) = PeerService.ReadPeers(answer).Single();
        Assert.AreEqual(Peer, peer);
        CollectionAssert.AreEqual(Addresses, addresses);
        Assert.AreEqual("abc._p2p._udp.local", answer.Answers[0].Target);
        Assert.IsTrue(answer.Answers.Skip(1).All(static record => record.Type == DnsType.Txt), "some read nothing else");
        DnsRecord service = answer.Additionals.Single(static record => record.Type == DnsType.Srv);
        Assert.AreEqual(("abc.local", 4001), (service.Target, service.Port));
        CollectionAssert.AreEquivalent(new[] { "10.0.0.1", "fd00::1" }, answer.Additionals.Where(static record => record.Address is not null).Select(static record => $"{record.Address}").ToArray());
    }

    [TestMethod]
    public void Who_knows_us_already_is_not_told_again_until_half_of_the_time_is_over()
    {
        var service = new PeerService("abc");
        Assert.IsNull(service.Answer(Knowing("ABC._p2p._udp.local", 61), Peer, Addresses));
        Assert.IsNotNull(service.Answer(Knowing("abc._p2p._udp.local", 60), Peer, Addresses));
        Assert.IsNotNull(service.Answer(Knowing("other._p2p._udp.local", 120), Peer, Addresses));

        static DnsMessage Knowing(string target, uint left) => PeerService.Query() with { Answers = [new DnsRecord(PeerService.Name, DnsType.Ptr, left) { Target = target }] };
    }

    [TestMethod]
    [DataRow("_services._dns-sd._udp.local", 12, 1)]
    [DataRow("abc._p2p._udp.local", 16, 2)]
    [DataRow("abc._P2P._udp.local", 33, 1)]
    [DataRow("abc.local", 1, 1)]
    [DataRow("abc.local", 28, 1)]
    public void Resolvers_for_people_get_what_they_ask_for(string name, int type, int count)
    {
        DnsMessage answer = new PeerService("abc").Answer(new DnsMessage { Questions = [new DnsQuestion(name, (DnsType)type)] }, Peer, Addresses)!;
        Assert.HasCount(count, answer.Answers);
        Assert.IsTrue(answer.Answers.All(record => record.Type == (DnsType)type));
    }

    [TestMethod]
    public void Nothing_else_is_answered()
    {
        var service = new PeerService("abc");
        Assert.IsNull(service.Answer(new DnsMessage { Questions = [new DnsQuestion("other.local", DnsType.A), new DnsQuestion("_http._tcp.local", DnsType.Ptr)] }, Peer, Addresses));
        Assert.IsNull(service.Answer(PeerService.Query() with { IsResponse = true }, Peer, Addresses));
        Assert.IsNull(service.Answer(PeerService.Query(), Peer, []));
        Assert.IsEmpty(PeerService.ReadPeers(service.Announce(Peer, Addresses) with { IsResponse = false }), "a query tells of nobody");
    }

    [TestMethod]
    public void Who_goes_says_so()
    {
        (PeerId peer, List<Multiaddress> addresses) = PeerService.ReadPeers(Pass(new PeerService("abc").Announce(Peer, Addresses, isGone: true))).Single();
        Assert.AreEqual(Peer, peer);
        Assert.IsEmpty(addresses);
    }

    [TestMethod]
    public void An_answer_finds_room_in_one_packet_and_a_message_in_memory()
    {
        Multiaddress[] many = [.. Enumerable.Range(0, 60).Select(static i => Multiaddress.Parse($"/ip6/fd00::{i:x}/tcp/4001"))];
        DnsMessage answer = new PeerService(PeerService.NewInstance(new SeededRandom(1))).Answer(PeerService.Query(), Peer, many)!;
        Assert.IsLessThan(1_500, DnsMessageWriter.Write(answer).Length);
        Assert.IsGreaterThanOrEqualTo(5, PeerService.ReadPeers(answer).Single().Addresses.Count);

        List<DnsRecord> crowd = [.. Enumerable.Range(0, 500).Select(static i => new DnsRecord($"n{i}.{PeerService.Name}", DnsType.Txt, 120)
        {
            Texts = [System.Text.Encoding.ASCII.GetBytes($"dnsaddr=/ip4/10.0.{i / 250}.{i % 250}/tcp/1/p2p/{NewPeer(i / 2)}")],
        })];
        List<(PeerId Peer, List<Multiaddress> Addresses)> read = PeerService.ReadPeers(new DnsMessage { IsResponse = true, Answers = crowd });
        Assert.HasCount(32, read);
        Assert.IsTrue(read.TrueForAll(static one => one.Addresses.Count == 2));
    }

    private static PeerId NewPeer(int number)
    {
        byte[] multihash = [0x12, 0x20, .. new byte[28], .. BitConverter.GetBytes(number)];
        Assert.IsTrue(PeerId.TryFromBytes(multihash, out PeerId peer));
        return peer;
    }

    private static DnsMessage Pass(DnsMessage message)
    {
        Assert.IsTrue(DnsMessageReader.TryRead(DnsMessageWriter.Write(message), out DnsMessage? read));
        return read;
    }
}
