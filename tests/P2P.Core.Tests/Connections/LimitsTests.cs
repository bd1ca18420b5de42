using System.Net;
using P2P.Core.Connections;

namespace P2P.Core.Tests.Connections;

/// <summary>Who gets a place when places are short: connections, handshakes and streams.</summary>
[TestClass]
public sealed class LimitsTests
{
    private static readonly ConnectionOptions Options = new() { MaxConnections = 4, MaxInboundConnections = 3, MaxConnectionsPerAddress = 2 };

    [TestMethod]
    public void A_free_place_is_given() =>
        Assert.AreEqual(new Admission(-1, null), ConnectionLimits.Judge(Inbound(1), [Inbound(2), Inbound(3)], Options));

    [TestMethod]
    public void One_address_gets_its_share_and_loopback_any_number()
    {
        Assert.IsNotNull(ConnectionLimits.Judge(Inbound(1), [Inbound(1), Inbound(1)], Options).Refusal);
        ConnectionFacts local = new(false, IPAddress.Loopback, null);
        Assert.IsNull(ConnectionLimits.Judge(local, [local, local], Options).Refusal);
        Assert.IsNull(ConnectionLimits.Judge(new ConnectionFacts(true, Address(1), null), [Inbound(1), Inbound(1)], Options).Refusal);
    }

    [TestMethod]
    public void A_newcomer_takes_the_place_of_the_longest_idle_of_the_most_greedy_address()
    {
        ConnectionOptions options = Options with { MaxInboundConnections = 4 };
        Admission admission = ConnectionLimits.Judge(Inbound(9), [Inbound(1, 50), Inbound(2, 5), Inbound(2, 9), Inbound(3)], options);
        Assert.AreEqual(new Admission(2, null), admission);
    }

    [TestMethod]
    public void An_inbound_newcomer_takes_no_place_of_our_own_dials()
    {
        ConnectionFacts ours = new(true, Address(1), TimeSpan.FromHours(1));
        Assert.IsNotNull(ConnectionLimits.Judge(Inbound(9), [ours, ours, ours, Inbound(2)], Options).Refusal);
        Assert.AreEqual(0, ConnectionLimits.Judge(new ConnectionFacts(true, Address(9), null), [ours, ours, ours, Inbound(2)], Options).Evict);
    }

    [TestMethod]
    public void Who_was_used_just_now_is_not_idle() =>
        Assert.IsNotNull(ConnectionLimits.Judge(Inbound(9), [Inbound(1, 0.5), Inbound(2, 0.1), Inbound(3)], Options).Refusal);

    [TestMethod]
    public void A_full_gate_gives_up_the_least_advanced_and_oldest_of_the_most_greedy_prefix()
    {
        List<string> evicted = [];
        InboundGate gate = new(4, 3);
        InboundGate.Slot first = gate.Enter(Address(1), () => evicted.Add("1a"));
        gate.Enter(Address(1), () => evicted.Add("1b"));
        first.Advance();
        gate.Enter(Address(2), () => evicted.Add("2"));
        gate.Enter(Address(3), () => evicted.Add("3"));
        InboundGate.Slot fifth = gate.Enter(Address(4), () => evicted.Add("4"));
        CollectionAssert.AreEqual(new[] { "1b" }, evicted);
        Assert.AreEqual(4, gate.Count);
        fifth.Dispose();
        fifth.Dispose();
        Assert.AreEqual(3, gate.Count);
        first.Dispose();
        Assert.IsFalse(first.IsEvicted);
    }

    [TestMethod]
    public void One_prefix_gets_its_share_of_the_gate_and_loopback_any()
    {
        int evicted = 0;
        InboundGate gate = new(100, 3);
        for (int i = 0; i < 10; i++)
        {
            gate.Enter(new IPAddress([5, 6, 7, (byte)i]), () => evicted++);
        }

        Assert.AreEqual(3, gate.Count);
        Assert.AreEqual(7, evicted);
        for (int i = 0; i < 10; i++)
        {
            gate.Enter(IPAddress.Loopback, () => evicted++);
        }

        Assert.AreEqual(13, gate.Count);
        Assert.AreEqual(7, evicted);
    }

    [TestMethod]
    public void A_prefix_is_a_24_of_IPv4_or_a_48_of_IPv6()
    {
        static ulong Of(string text) => InboundGate.PrefixOf(IPAddress.Parse(text));
        Assert.AreEqual(Of("1.2.3.4"), Of("1.2.3.200"));
        Assert.AreEqual(Of("1.2.3.4"), Of("::ffff:1.2.3.5"));
        Assert.AreNotEqual(Of("1.2.3.4"), Of("1.2.4.4"));
        Assert.AreEqual(Of("2600:1:2:3::1"), Of("2600:1:2:ffff::9"));
        Assert.AreNotEqual(Of("2600:1:2::1"), Of("2600:1:3::1"));
        Assert.AreNotEqual(Of("0.0.0.0"), Of("::"));
    }

    [TestMethod]
    public void Streams_are_counted_for_each_peer_and_in_all()
    {
        StreamRegistry registry = new(maxStreams: 3);
        registry.Add("/a", static (_, _) => Task.CompletedTask, 2);
        registry.Add("/b", static (_, _) => Task.CompletedTask, 2);
        Assert.Throws<InvalidOperationException>(() => registry.Add("/a", static (_, _) => Task.CompletedTask, 2));
        PeerId one = new PeerIdOfNobody().Id, two = new PeerIdOfNobody().Id;
        StreamRegistry.Place? first = registry.TryEnter("/a", one);
        Assert.IsNotNull(first);
        Assert.IsNotNull(registry.TryEnter("/a", one));
        Assert.IsNull(registry.TryEnter("/a", one));
        Assert.IsNull(registry.TryEnter("/c", one));
        Assert.IsNotNull(registry.TryEnter("/a", two));
        Assert.IsNull(registry.TryEnter("/b", two));
        first.Dispose();
        first.Dispose();
        Assert.AreEqual(2, registry.StreamCount);
        Assert.IsNotNull(registry.TryEnter("/b", one));
        Assert.IsTrue(registry.Remove("/a"));
        CollectionAssert.AreEqual(new[] { "/b" }, registry.Protocols.ToArray());
    }

    private static ConnectionFacts Inbound(int host, double? idleSeconds = null) =>
        new(false, Address(host), idleSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);

    private static IPAddress Address(int host) => new([9, 9, (byte)host, 1]);
}
