using P2P.Core.Dht;
using P2P.Core.Identity;
using P2P.Core.Replication;

namespace P2P.Core.Tests.Replication;

/// <summary>Goal: what is signed says what it says and nothing else; the copies are counted as the rules say.</summary>
[TestClass]
public sealed class StatementTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly IdentityKey Key = IdentityKey.FromSeed([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    private static readonly ReplicaEntry[] Entries = [new(Cid.OfRaw("a"u8), 1), new(Cid.OfRaw("bb"u8), 2)];

    [TestMethod]
    public void A_lease_is_read_as_it_was_signed_and_covers_its_blocks_only()
    {
        Lease lease = NewLease();
        Assert.IsTrue(Lease.TryOpen(lease.Seal(Key), out Lease? read));
        Assert.AreEqual(lease with { EntriesDigest = default }, read with { EntriesDigest = default });
        Assert.IsTrue(read.Covers(Entries));
        Assert.IsFalse(read.Covers([Entries[1], Entries[0]]));
        Assert.IsFalse(read.Covers([Entries[0]]));
        Assert.IsFalse(read.Covers([Entries[0], new ReplicaEntry(Entries[1].Cid, 3)]));
    }

    [TestMethod]
    public void The_vectors_of_the_documentation_are_what_is_signed()
    {
        byte[] lease = NewLease().Seal(Key);
        var receipt = new Receipt
        {
            Network = "p2p",
            Holder = Key.PeerId,
            StoreEpoch = Fill(16, 1),
            Publisher = Key.PeerId,
            LeaseDigest = Lease.DigestOf(lease),
            Sequence = 1,
            Nonce = Fill(16, 2),
            AcceptedDigest = ReplicaEntry.Digest(Entries),
            Count = 2,
            Bytes = 3,
            Issued = Now,
            Until = Now.AddDays(7),
        };
        byte[] proof = ReplicaProtocol.Proof(Key.PeerId, Key.PeerId, Fill(32, 3), "a"u8);
        var inventory = new Inventory([new HeldLease(NewLease(), lease, default, Entries[0].Cid, LeaseOrigin.Friend)], DhtPrefix.All);
        string text = File.ReadAllText(Path.Combine(House.SourceTree.Root, "docs", "protocol.md"));
        List<string> missing = [];
        foreach ((string what, byte[] bytes) in new[] { ("lease", lease), ("receipt", receipt.Seal(Key)), ("digest of the blocks", ReplicaEntry.Digest(Entries)), ("proof", proof), ("fingerprint", inventory.Fingerprint()), ("extra place 1", Run.PlaceName(Entries[0].Cid.MultihashSpan, 1)) })
        {
            if (!text.Contains(Convert.ToHexStringLower(bytes), StringComparison.Ordinal))
                missing.Add($"@{what}@{Convert.ToHexStringLower(bytes)}");
        }

        Assert.IsEmpty(missing, string.Join('\n', missing));

        static byte[] Fill(int count, byte value) => [.. Enumerable.Repeat(value, count)];
    }

    [TestMethod]
    public void No_byte_of_a_statement_can_be_changed()
    {
        byte[] envelope = NewLease().Seal(Key);
        for (int i = 0; i < envelope.Length; i++)
        {
            byte[] changed = [.. envelope];
            changed[i] ^= 0x10;
            Assert.IsFalse(Lease.TryOpen(changed, out _), $"byte {i}");
        }

        using IdentityKey other = IdentityKey.Generate();
        Assert.IsFalse(Lease.TryOpen(NewLease().Seal(other), out _), "signed by another than it names");
        Assert.IsFalse(Receipt.TryOpen(envelope, out _), "a lease is no receipt");
    }

    [TestMethod]
    [DataRow("2affffffff27", DisplayName = "its parser left the array")]
    [DataRow("2affffffff07230afffffdff0102", DisplayName = "its parser allocated half a gigabyte")]
    [DataRow("0a061affffffff07", DisplayName = "two messages deep")]
    public void A_message_whose_inner_length_does_not_fit_is_malformed(string hex)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.IsFalse(ReplicaProtocol.TryDecode(Convert.FromHexString(hex), out _));
        Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Copies_count_while_their_holders_answer_or_were_silent_for_less_than_the_grace()
    {
        var copies = new RunCopies(new Run(new byte[34], Entries, IsInner: true), target: 3);
        TimeSpan grace = TimeSpan.FromMinutes(15), wait = TimeSpan.FromHours(6), hour = TimeSpan.FromHours(1);
        Contact[] holders = [.. Enumerable.Range(0, 3).Select(i => Dht.DhtContacts.Contact(i))];
        Assert.AreEqual(3, copies.Missing(grace, wait, default, Now));
        foreach (Contact holder in holders)
            copies.OnReceipt(holder, NewReceipt(holder.Peer), default);
        Assert.AreEqual(3, copies.Count(grace, hour, Now));

        copies.OnSilence(holders[0].Peer, hour);
        Assert.AreEqual(3, copies.Count(grace, hour + TimeSpan.FromMinutes(5), Now), "a blip");
        Assert.AreEqual(2, copies.Count(grace, hour + grace, Now));
        copies.OnProof(holders[0].Peer, 2 * hour);
        Assert.AreEqual(3, copies.Count(grace, 2 * hour, Now), "it is back");

        Assert.IsTrue(copies.OnLie(holders[1].Peer));
        Assert.AreEqual(2, copies.Count(grace, 2 * hour, Now));
        Assert.AreEqual(1, copies.Missing(grace, wait, 2 * hour, Now), "below the least: at once");
        Assert.AreEqual(0, copies.Count(grace, 2 * hour, Now.AddDays(8)), "the leases are over");
        Assert.AreEqual(0, copies.Count(grace, TimeSpan.FromHours(30), Now), "nothing proved for a day");
    }

    [TestMethod]
    public void Enough_copies_but_fewer_than_wanted_wait()
    {
        var copies = new RunCopies(new Run(new byte[34], Entries, IsInner: true), target: 5);
        TimeSpan grace = TimeSpan.FromMinutes(15), wait = TimeSpan.FromHours(6);
        for (int i = 0; i < 4; i++)
            copies.OnReceipt(Dht.DhtContacts.Contact(i), NewReceipt(Dht.DhtContacts.Contact(i).Peer), default);
        Assert.AreEqual(0, copies.Missing(grace, wait, default, Now));
        Assert.AreEqual(0, copies.Missing(grace, wait, TimeSpan.FromHours(5), Now));
        Assert.AreEqual(1, copies.Missing(grace, wait, TimeSpan.FromHours(6), Now));
    }

    [TestMethod]
    public void Holders_of_one_network_come_last()
    {
        Contact[] closest =
        [
            Dht.DhtContacts.Contact(1, "/ip4/9.9.9.1/tcp/1"), Dht.DhtContacts.Contact(2, "/ip4/9.9.9.2/tcp/1"), Dht.DhtContacts.Contact(3, "/ip4/9.9.8.1/tcp/1"),
            Dht.DhtContacts.Contact(4, "/ip4/192.168.1.1/tcp/1"), Dht.DhtContacts.Contact(5, "/ip4/192.168.1.2/tcp/1"),
        ];
        Assert.AreEqual("1 3 4 5 2", Order(Placement.Order(closest, [])));
        Assert.AreEqual("3 4 5 1 2", Order(Placement.Order(closest, [Dht.DhtContacts.Contact(9, "/ip4/9.9.9.9/tcp/1")])));

        string Order(List<Contact> order) => string.Join(' ', order.Select(contact => Array.IndexOf(closest, contact) + 1));
    }

    [TestMethod]
    public void A_holder_takes_what_its_policy_admits()
    {
        using IdentityKey friend = IdentityKey.FromSeed([.. Enumerable.Repeat((byte)7, 32)]);
        var local = new HolderPolicy(new HolderSettings { OfferBytes = 10, Admitted = new HashSet<PeerId> { friend.PeerId }, OnLink = static () => [] }, "p2p");
        var anyone = new HolderPolicy(new HolderSettings { OfferBytes = 10, Audience = OfferAudience.Anyone, OnLink = static () => [] }, "p2p");
        Multiaddress far = Multiaddress.Parse("/ip4/9.9.9.9/tcp/1"), here = Multiaddress.Parse("/ip4/127.0.0.1/tcp/1");
        Lease lease = NewLease();
        Assert.AreEqual(RefusalReason.None, Judge(local, lease, here));
        Assert.AreEqual(RefusalReason.Policy, Judge(local, lease, far));
        Assert.AreEqual(RefusalReason.None, Judge(local, lease with { Publisher = friend.PeerId }, far));
        Assert.AreEqual(RefusalReason.Policy, Judge(anyone, lease, far), "no sealed lengths");
        Assert.AreEqual(RefusalReason.Full, Judge(local, lease, here, held: 8));
        Assert.AreEqual(RefusalReason.LeaseTooLong, Judge(local, lease with { Until = Now.AddDays(31) }, here));
        Assert.AreEqual(RefusalReason.Invalid, Judge(local, lease with { Until = Now }, here));
        Assert.AreEqual(RefusalReason.Invalid, Judge(local, lease with { Issued = Now.AddMinutes(11) }, here));
        Assert.AreEqual(RefusalReason.Invalid, Judge(local, lease with { Network = "other" }, here));
        Assert.AreEqual(RefusalReason.Invalid, Judge(local, lease with { Count = 3 }, here));

        RefusalReason Judge(HolderPolicy policy, Lease asked, Multiaddress from, long held = 0) => policy.Judge(asked, Entries, policy.OriginOf(asked, asked.Publisher, from, isFriendAlready: false), new HeldBytes(held, held, held, 1), courses: 0, Now);
    }

    private static Lease NewLease() => new()
    {
        Network = "p2p",
        Publisher = Key.PeerId,
        RunKey = DhtKey.Of("run"u8),
        EntriesDigest = ReplicaEntry.Digest(Entries),
        Count = 2,
        Bytes = 3,
        Issued = Now,
        Until = Now.AddDays(7),
        Min = 3,
        Target = 5,
        Max = 8,
        Sequence = 1,
    };

    private static Receipt NewReceipt(PeerId holder) => new()
    {
        Network = "p2p",
        Holder = holder,
        StoreEpoch = new byte[16],
        Publisher = Key.PeerId,
        LeaseDigest = new byte[32],
        Sequence = 1,
        Nonce = new byte[16],
        AcceptedDigest = new byte[32],
        Count = 2,
        Bytes = 3,
        Issued = Now,
        Until = Now.AddDays(7),
    };
}
