using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

[TestClass]
public sealed class AddressBookTests
{
    private static readonly Multiaddress[] KnownAddresses = [.. Enumerable.Range(1, 60).Select(i => Multiaddress.Parse($"/ip4/1.1.1.{i}/tcp/1"))];

    private readonly VirtualTime _time = new();
    private readonly PeerId _peer = new PeerIdOfNobody().Id;

    [TestMethod]
    public void The_most_trusted_come_first_and_a_source_never_sinks()
    {
        AddressBook book = new(_time);
        book.Add(_peer, [KnownAddresses[0]], AddressSourceKind.Told);
        book.Add(_peer, [KnownAddresses[1].WithPeerId(_peer)], AddressSourceKind.User);
        book.Add(_peer, [KnownAddresses[2]], AddressSourceKind.Reached);
        book.Add(_peer, [KnownAddresses[1]], AddressSourceKind.Told);
        IReadOnlyList<KnownAddress> known = book.Get(_peer);
        CollectionAssert.AreEqual(new[] { KnownAddresses[1], KnownAddresses[2], KnownAddresses[0] }, known.Select(entry => entry.Address).ToArray());
        Assert.AreEqual(AddressOrigin.User, known[0].Origin);
        Assert.AreEqual(AddressOrigin.Peer, known[1].Origin);
    }

    [TestMethod]
    public void A_peer_keeps_its_best_addresses_when_there_are_too_many()
    {
        AddressBook book = new(_time);
        book.Add(_peer, [KnownAddresses[0]], AddressSourceKind.User);
        book.Add(_peer, KnownAddresses[1..41], AddressSourceKind.Told);
        Assert.HasCount(32, book.Get(_peer));
        Assert.AreEqual(KnownAddresses[0], book.Get(_peer)[0].Address);
        book.Add(_peer, KnownAddresses[41..51], AddressSourceKind.Signed);
        Assert.HasCount(32, book.Get(_peer));
        Assert.IsTrue(KnownAddresses[41..51].All(address => book.Get(_peer).Any(known => known.Address.Equals(address))));
        book.Add(_peer, [KnownAddresses[55]], AddressSourceKind.Told);
        Assert.AreEqual(KnownAddresses[0], book.Get(_peer)[0].Address);
    }

    [TestMethod]
    public void What_identify_says_replaces_what_it_said_before()
    {
        AddressBook book = new(_time);
        book.Add(_peer, [KnownAddresses[0]], AddressSourceKind.Reached);
        book.Replace(_peer, [KnownAddresses[1], KnownAddresses[2]], AddressSourceKind.Identified);
        book.Replace(_peer, [KnownAddresses[2]], AddressSourceKind.Signed);
        CollectionAssert.AreEqual(new[] { KnownAddresses[0], KnownAddresses[2] }, book.Get(_peer).Select(known => known.Address).ToArray());
    }

    [TestMethod]
    public void Hints_expire_before_what_the_peer_said_and_the_users_stay()
    {
        AddressBook book = new(_time);
        book.Add(_peer, [KnownAddresses[0]], AddressSourceKind.Told);
        book.Add(_peer, [KnownAddresses[1]], AddressSourceKind.Signed);
        book.Add(_peer, [KnownAddresses[2]], AddressSourceKind.User);
        _time.Advance(TimeSpan.FromMinutes(31));
        Assert.HasCount(2, book.Get(_peer));
        _time.Advance(TimeSpan.FromHours(24));
        Assert.AreEqual(KnownAddresses[2], Assert.ContainsSingle(book.Get(_peer)).Address);
    }

    [TestMethod]
    public void The_peer_unused_for_longest_makes_room()
    {
        AddressBook book = new(_time, maxPeers: 3);
        PeerId[] peers = [.. Enumerable.Range(0, 4).Select(_ => new PeerIdOfNobody().Id)];
        foreach (PeerId peer in peers[..3])
        {
            book.Add(peer, [KnownAddresses[0]], AddressSourceKind.Told);
        }

        book.Add(peers[0], [KnownAddresses[1]], AddressSourceKind.Told);
        book.Add(peers[3], [KnownAddresses[1]], AddressSourceKind.Told);
        Assert.AreEqual(3, book.PeerCount);
        Assert.IsEmpty(book.Get(peers[1]));
        Assert.HasCount(2, book.Get(peers[0]));
        book.Remove(peers[3], KnownAddresses[1]);
        Assert.AreEqual(2, book.PeerCount);
        Assert.IsEmpty(book.Get(peers[3]));
    }

    [TestMethod]
    public void Addresses_longer_than_any_that_is_dialed_are_not_kept()
    {
        AddressBook book = new(TimeProvider.System);
        PeerId peer = new PeerIdOfNobody().Id;
        Multiaddress fits = Multiaddress.Parse($"/dns4/{new string('a', 200)}/tcp/1"), tooLong = Multiaddress.Parse($"/dns4/{new string('a', 300)}/tcp/1");
        book.Add(peer, [tooLong, fits], AddressSourceKind.Signed);
        Assert.AreEqual(fits, book.Get(peer).Single().Address);
    }
}
