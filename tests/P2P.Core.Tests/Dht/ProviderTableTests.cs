using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: a provider that says the truth is found, however many lie; memory stays bounded.</summary>
[TestClass]
public sealed class ProviderTableTests
{
    private static readonly DhtKey Key = DhtKey.Of("content"u8);

    [TestMethod]
    public void Statements_are_forgotten_after_two_days_and_their_addresses_after_one()
    {
        ProviderTable table = New();
        Contact provider = DhtContacts.Contact(1, "/ip4/9.9.9.9/tcp/1");
        Assert.IsTrue(table.Add(Key, provider, DhtContacts.Caller(provider, "/ip4/9.9.9.9/tcp/1"), default));
        Assert.HasCount(1, table.Get(Key, 10, TimeSpan.FromHours(23)).Single().Addresses);
        Assert.IsEmpty(table.Get(Key, 10, TimeSpan.FromHours(25)).Single().Addresses);
        Assert.IsEmpty(table.Get(Key, 10, TimeSpan.FromHours(48)));
        Assert.AreEqual(0, table.Count);
        Assert.AreEqual(0, table.KeyCount);
    }

    [TestMethod]
    public void Saying_it_again_renews_it()
    {
        ProviderTable table = New();
        Contact provider = DhtContacts.Contact(1, "/ip4/9.9.9.9/tcp/1");
        DhtCaller caller = DhtContacts.Caller(provider, "/ip4/9.9.9.9/tcp/1");
        table.Add(Key, provider, caller, default);
        table.Add(Key, provider, caller, TimeSpan.FromHours(40));
        Assert.HasCount(1, table.Get(Key, 10, TimeSpan.FromHours(60)));
        Assert.AreEqual(1, table.Count);
        table.Expire(TimeSpan.FromHours(88));
        Assert.AreEqual(0, table.Count);
    }

    [TestMethod]
    public void One_network_gets_eight_places_at_a_key_and_a_private_network_as_many_as_it_wants()
    {
        ProviderTable table = New();
        for (int i = 0; i < 20; i++)
        {
            Contact near = DhtContacts.Contact(i, $"/ip4/9.9.9.{i}/tcp/1");
            Assert.AreEqual(i < 8, table.Add(Key, near, DhtContacts.Caller(near, $"/ip4/9.9.9.{i}/tcp/1"), default), $"{i}");
            Contact home = DhtContacts.Contact(100 + i, $"/ip4/192.168.1.{i}/tcp/1");
            Assert.IsTrue(table.Add(Key, home, DhtContacts.Caller(home, $"/ip4/192.168.1.{i}/tcp/1"), default));
        }
    }

    [TestMethod]
    [DataRow(true, DisplayName = "the real one came first")]
    [DataRow(false, DisplayName = "the real one came last")]
    public void Ten_thousand_false_providers_of_a_few_networks_hide_nobody(bool realFirst)
    {
        ProviderTable table = New();
        Contact real = DhtContacts.Contact(-1, "/ip4/77.1.1.1/tcp/1");
        if (realFirst)
            Assert.IsTrue(table.Add(Key, real, DhtContacts.Caller(real, "/ip4/77.1.1.1/tcp/1"), default));
        for (int i = 0; i < 10_000; i++)
        {
            // eight networks of 65,536 addresses each
            string address = $"/ip4/{50 + (i % 8)}.1.{i / 8 % 256}.{i / 2048}/tcp/1";
            Contact lie = DhtContacts.Contact(i, address);
            table.Add(Key, lie, DhtContacts.Caller(lie, address), TimeSpan.FromSeconds(i));
        }

        if (!realFirst)
            Assert.IsTrue(table.Add(Key, real, DhtContacts.Caller(real, "/ip4/77.1.1.1/tcp/1"), TimeSpan.FromHours(5)));
        Assert.IsLessThanOrEqualTo(1024, table.Count);
        for (int ask = 0; ask < 50; ask++)
            Assert.IsTrue(table.Get(Key, 20, TimeSpan.FromHours(6)).Exists(contact => contact.Peer == real.Peer));
    }

    [TestMethod]
    public void Ten_thousand_false_providers_from_everywhere_do_not_hide_one_that_was_known_before()
    {
        ProviderTable table = New();
        for (int i = 0; i < 5; i++)
            Add(1_000_000 + i, $"/ip4/90.{i}.1.1/tcp/1", default); // who was there before the real one is no enemy
        Contact real = Add(-1, "/ip4/77.1.1.1/tcp/1", TimeSpan.FromMinutes(1));
        for (int i = 0; i < 10_000; i++)
        {
            if (i % 1_000 == 0)
                Add(-1, "/ip4/77.1.1.1/tcp/1", TimeSpan.FromHours(1 + (i / 1_000))); // again and again, as others do
            Add(i, $"/ip4/{100 + (i % 50)}.{i / 50 % 100}.{i / 5_000}.1/tcp/1", TimeSpan.FromHours(1 + (i / 1_000.0)));
        }

        Assert.AreEqual(1024, table.Count);
        for (int ask = 0; ask < 50; ask++)
            Assert.IsTrue(table.Get(Key, 20, TimeSpan.FromHours(12)).Exists(contact => contact.Peer == real.Peer));

        Contact Add(int number, string address, TimeSpan now)
        {
            Contact contact = DhtContacts.Contact(number, address);
            table.Add(Key, contact, DhtContacts.Caller(contact, address), now);
            return contact;
        }
    }

    [TestMethod]
    public void A_peer_and_the_whole_table_have_their_limits()
    {
        var table = new ProviderTable(new ProviderTableSettings { MaxPerPeer = 3, MaxRecords = 5 }, new SeededRandom(1));
        Contact one = DhtContacts.Contact(1, "/ip4/9.9.9.9/tcp/1"), two = DhtContacts.Contact(2, "/ip4/9.9.8.9/tcp/1");
        bool[] ones = [.. Enumerable.Range(0, 4).Select(i => table.Add(DhtKey.Of([(byte)i]), one, DhtContacts.Caller(one, "/ip4/9.9.9.9/tcp/1"), default))];
        bool[] twos = [.. Enumerable.Range(0, 3).Select(i => table.Add(DhtKey.Of([(byte)i]), two, DhtContacts.Caller(two, "/ip4/9.9.8.9/tcp/1"), default))];
        Assert.AreEqual("True True True False", string.Join(' ', ones));
        Assert.AreEqual("True True False", string.Join(' ', twos));
        table.Expire(TimeSpan.FromDays(3));
        Assert.IsTrue(table.Add(Key, one, DhtContacts.Caller(one, "/ip4/9.9.9.9/tcp/1"), TimeSpan.FromDays(3)));
    }

    private static ProviderTable New() => new(ProviderTableSettings.Default, new SeededRandom(7));
}
