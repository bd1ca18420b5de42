using System.Net;
using P2P.Core.Nat;
using P2P.Testing;

namespace P2P.Core.Tests.Nat;

/// <summary>Goal: what peers say of our addresses makes the verdict that it is worth. Method: the plain state machines.</summary>
[TestClass]
public sealed class VerdictTests
{
    private static readonly Multiaddress Address = Multiaddress.Parse("/ip4/5.5.5.5/tcp/4001"), Other = Multiaddress.Parse("/ip4/6.6.6.6/tcp/4001");

    private readonly VirtualTime _time = new();

    [TestMethod]
    public void One_dial_that_came_in_proves_an_address_and_three_networks_are_needed_to_doubt_it()
    {
        var verdicts = new AddressVerdicts(_time);
        verdicts.SetCandidates([Address]);
        Assert.AreEqual(Reachability.Unknown, verdicts.Of(Address));
        Assert.IsTrue(verdicts.Note(Address, "a", false));
        Assert.AreEqual(Reachability.Unreachable, verdicts.Of(Address));
        Assert.IsTrue(verdicts.Note(Address, "b", true));
        Assert.IsFalse(verdicts.Note(Address, "c", false));
        Assert.IsFalse(verdicts.Note(Address, "c", false), "one network has one voice");
        Assert.IsFalse(verdicts.Note(Address, "d", false));
        Assert.AreEqual(Reachability.Reachable, verdicts.Of(Address));
        Assert.IsTrue(verdicts.Note(Address, "e", false));
        Assert.AreEqual(Reachability.Unreachable, verdicts.Of(Address));
        verdicts.SetCandidates([Other]);
        Assert.AreEqual(Reachability.Unknown, verdicts.Of(Address));
        Assert.IsFalse(verdicts.Note(Address, "a", true), "nobody asks about it any more");
    }

    [TestMethod]
    public void Each_network_is_asked_once_a_round_and_an_address_that_works_by_one_only()
    {
        var verdicts = new AddressVerdicts(_time);
        verdicts.SetCandidates([Address]);
        string[] networks = ["a", "b", "c", "d"];
        List<string> asked = [];
        while (verdicts.Next(networks, out string network) is { } address)
        {
            asked.Add(network);
            verdicts.Note(address, network, false);
        }

        CollectionAssert.AreEqual(new[] { "a", "b", "c" }, asked);
        _time.Advance(TimeSpan.FromMinutes(15));
        Assert.AreEqual(Address, verdicts.Next(networks, out string first));
        verdicts.Note(Address, first, true);
        Assert.IsNull(verdicts.Next(networks, out _));
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.IsNull(verdicts.Next(networks, out _));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.AreEqual(Address, verdicts.Next(networks, out _));
        verdicts.SetCandidates(Enumerable.Range(1, 100).Select(static i => Multiaddress.Parse($"/ip4/5.5.5.{i}/tcp/1")));
        Assert.HasCount(AddressVerdicts.MaxCandidates, verdicts.Candidates.ToArray());
    }

    [TestMethod]
    public void An_address_that_was_dialed_counts_when_two_networks_say_so_and_a_port_of_the_moment_never()
    {
        var observed = new ObservedAddresses();
        IPAddress first = IPAddress.Parse("7.1.0.1"), same = IPAddress.Parse("7.1.9.9"), second = IPAddress.Parse("7.2.0.1");
        Assert.IsTrue(observed.Note(Address, first, isOutbound: true));
        Assert.IsTrue(observed.Note(Address, second, isOutbound: true));
        Assert.IsEmpty(observed.Confirmed);
        Assert.AreEqual(IPAddress.Parse("5.5.5.5"), observed.Addresses.Single());
        Assert.IsTrue(observed.Note(Address, first, isOutbound: false));
        Assert.IsFalse(observed.Note(Address, same, isOutbound: false));
        Assert.IsEmpty(observed.Confirmed);
        Assert.IsTrue(observed.Note(Address, second, isOutbound: false));
        Assert.AreEqual(Address, observed.Confirmed.Single());
        Assert.IsFalse(observed.Note(Multiaddress.Parse("/ip4/192.168.1.2/tcp/1"), first, isOutbound: false));
        Assert.IsFalse(observed.Note(Other, IPAddress.Parse("192.168.1.9"), isOutbound: false), "a neighbour's view is no view from outside");
        for (int i = 0; i < 1000; i++)
            observed.Note(Multiaddress.Parse($"/ip4/8.8.{i / 250}.{i % 250}/tcp/1"), first, isOutbound: false);
        Assert.IsLessThanOrEqualTo(16, observed.Addresses.Count);
    }

    [TestMethod]
    public void A_router_that_began_anew_is_known_by_its_count()
    {
        var epoch = new GatewayEpoch(_time);
        Assert.IsFalse(epoch.Observe(1000));
        _time.Advance(TimeSpan.FromSeconds(80));
        Assert.IsFalse(epoch.Observe(1069), "a slow clock");
        _time.Advance(TimeSpan.FromSeconds(80));
        Assert.IsTrue(epoch.Observe(1070), "it stood still");
        Assert.IsFalse(epoch.IsYoung);
        Assert.IsTrue(epoch.Observe(3));
        Assert.IsTrue(epoch.IsYoung);
        _time.Advance(TimeSpan.FromSeconds(80));
        Assert.IsFalse(epoch.Observe(90));
    }

    [TestMethod]
    public void Requests_to_be_dialed_are_counted_by_peer_and_all_together()
    {
        var limits = new AutoNatLimits(_time);
        PeerId[] peers = [.. Enumerable.Range(0, 10).Select(static _ => Core.Identity.IdentityKey.Generate().PeerId)];
        Assert.AreEqual(AutoNatLimits.PerPeer, Enumerable.Range(0, 100).Count(_ => limits.TryTake(peers[0])));
        Assert.AreEqual(AutoNatLimits.PerMinute - AutoNatLimits.PerPeer, Enumerable.Range(0, 500).Count(i => limits.TryTake(peers[1 + (i % 9)])));
        Assert.AreEqual(AutoNatLimits.WithData, Enumerable.Range(0, 100).Count(_ => limits.TryTakeWithData()));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsTrue(limits.TryTake(peers[0]) && limits.TryTakeWithData());
    }
}
