using P2P.Core.Discovery;
using P2P.Core.Identity;

namespace P2P.Core.Tests.Discovery;

/// <summary>Goal: a peer is where it was last seen on each interface, and gone when it is silent on all.</summary>
[TestClass]
public sealed class LanPeersTests
{
    private static readonly Multiaddress Cable = Multiaddress.Parse("/ip4/10.0.0.1/tcp/1"), Radio = Multiaddress.Parse("/ip4/10.1.0.1/tcp/1");

    private readonly PeerId _peer = NewId();
    private readonly LanPeers _peers = new(NewId());

    [TestMethod]
    public void Who_is_seen_on_two_interfaces_has_both_addresses_and_is_news_once()
    {
        Assert.IsTrue(_peers.OnSeen(_peer, [Cable], At(0)));
        Assert.IsTrue(_peers.OnSeen(_peer, [Radio], At(1)));
        for (int i = 2; i < 20; i++)
            Assert.IsFalse(_peers.OnSeen(_peer, [i % 2 == 0 ? Cable : Radio], At(i)));
        CollectionAssert.AreEquivalent(new[] { Cable, Radio }, _peers.AddressesOf(_peer).ToArray());
    }

    [TestMethod]
    public void An_address_that_is_not_told_any_more_goes_and_the_last_one_takes_the_peer_along()
    {
        _peers.OnSeen(_peer, [Cable, Radio], At(0));
        _peers.OnSeen(_peer, [Radio], At(100));
        Assert.IsEmpty(_peers.Expire(At(200)));
        CollectionAssert.AreEqual(new[] { Radio }, _peers.AddressesOf(_peer).ToArray());
        Assert.AreEqual(_peer, _peers.Expire(At(251)).Single());
        Assert.IsEmpty(_peers.All);
        Assert.IsTrue(_peers.OnSeen(_peer, [Cable], At(300)), "news again");
    }

    [TestMethod]
    public void One_peer_has_not_more_addresses_than_one_can_have()
    {
        for (int i = 0; i < 100; i++)
            _peers.OnSeen(_peer, [Multiaddress.Parse($"/ip4/10.0.0.{i}/tcp/1")], At(0));
        Assert.HasCount(16, _peers.AddressesOf(_peer));
    }

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);

    private static PeerId NewId()
    {
        using var key = IdentityKey.Generate();
        return key.PeerId;
    }
}
