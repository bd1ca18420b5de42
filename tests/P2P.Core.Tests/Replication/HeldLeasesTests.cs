using P2P.Core.Dht;
using P2P.Core.Identity;
using P2P.Core.Replication;
using P2P.Core.Store;
using P2P.Core.Tests.Store;

namespace P2P.Core.Tests.Replication;

/// <summary>Goal: what is held and promised together never exceeds what was judged, in whatever order pulls and releases end.</summary>
[TestClass]
public sealed class HeldLeasesTests : IAsyncDisposable
{
    private const long Offered = 1_000_000;

    private readonly IdentityKey _publisher = IdentityKey.Generate(), _other = IdentityKey.Generate();
    private StoreFixture _fixture = null!;
    private HeldLeases _leases = null!;

    public required TestContext TestContext { get; init; }

    [TestInitialize]
    public async Task OpenAsync()
    {
        _fixture = await StoreFixture.OpenAsync();
        _leases = new HeldLeases(_fixture.Store, _fixture.Time);
    }

    [TestMethod]
    public async Task A_pull_that_replaces_what_was_released_meanwhile_is_not_kept()
    {
        ReplicaEntry[] entries = [new(NewCid(), 900_000)];
        Assert.IsTrue(await HoldAsync(_publisher, entries, sequence: 1, Reserve(_publisher, entries, sequence: 1)!));
        HeldRoom renewed = Reserve(_publisher, entries, sequence: 3)!;
        Assert.AreEqual(0, renewed.Bytes, "what is renewed has its room");

        // while its pull is held up, the old lease ends and somebody else gets the room
        HeldLease old = _leases.All.Single();
        Assert.IsTrue(await _leases.EndAsync(old, 2, old.Envelope, TestContext.CancellationToken));
        ReplicaEntry[] others = [new(NewCid(), 900_000)];
        Assert.IsTrue(await HoldAsync(_other, others, sequence: 1, Reserve(_other, others, sequence: 1)!));

        Assert.IsFalse(await HoldAsync(_publisher, entries, sequence: 3, renewed));
        renewed.Dispose();
        Assert.AreEqual(_other.PeerId, _leases.All.Single().Lease.Publisher);
        Assert.IsNull(Reserve(_publisher, entries, sequence: 3), "there is room for one of them only");
    }

    [TestMethod]
    public async Task What_is_replaced_gives_its_room_to_the_new_and_no_more()
    {
        ReplicaEntry[] small = [new(NewCid(), 300_000)];
        ReplicaEntry[] large = [small[0], new(NewCid(), 500_000)];
        Assert.IsTrue(await HoldAsync(_publisher, small, sequence: 1, Reserve(_publisher, small, sequence: 1)!));
        HeldRoom room = Reserve(_publisher, large, sequence: 2, run: small)!;
        Assert.AreEqual(500_000, room.Bytes);
        ReplicaEntry[] others = [new(NewCid(), 200_001)];
        Assert.IsNull(Reserve(_other, others, sequence: 1), "promised to the pull");
        Assert.IsTrue(await HoldAsync(_publisher, large, sequence: 2, room, run: small));
        Assert.IsNull(Reserve(_other, others, sequence: 1), "held");
        using HeldRoom? last = Reserve(_other, [new(others[0].Cid, 200_000)], sequence: 1);
        Assert.IsNotNull(last);
    }

    public async ValueTask DisposeAsync()
    {
        _leases.Dispose();
        await _fixture.DisposeAsync();
        _publisher.Dispose();
        _other.Dispose();
    }

    private static Lease LeaseOf(IdentityKey publisher, ReplicaEntry[] entries, ulong sequence, ReplicaEntry[]? run) => new()
    {
        Network = "p2p",
        Publisher = publisher.PeerId,
        RunKey = DhtKey.Of((run ?? entries)[0].Cid.MultihashSpan),
        EntriesDigest = ReplicaEntry.Digest(entries),
        Count = entries.Length,
        Bytes = entries.Sum(static entry => (long)entry.Size),
        Issued = DateTimeOffset.UnixEpoch,
        Until = DateTimeOffset.UnixEpoch.AddYears(100),
        Min = 1,
        Target = 1,
        Max = 2,
        Sequence = sequence,
    };

    private Cid NewCid() => Cid.OfRaw(_fixture.RandomBytes(16));

    private HeldRoom? Reserve(IdentityKey publisher, ReplicaEntry[] entries, ulong sequence, ReplicaEntry[]? run = null)
    {
        Lease lease = LeaseOf(publisher, entries, sequence, run);
        return _leases.TryReserve(lease, LeaseOrigin.Friend, held => held.Total + lease.Bytes > Offered ? RefusalReason.Full : RefusalReason.None, out _);
    }

    private async Task<bool> HoldAsync(IdentityKey publisher, ReplicaEntry[] entries, ulong sequence, HeldRoom room, ReplicaEntry[]? run = null)
    {
        Lease lease = LeaseOf(publisher, entries, sequence, run);
        var pin = new Pin { Kind = PinKind.Temporary, Root = entries[0].Cid, Name = "test" };
        PinId id = await _fixture.Store.AddPinAsync(pin, TestContext.CancellationToken);
        using StoreBatch batch = _fixture.Store.BeginBatch(id);
        return await _leases.CommitAsync(batch, pin, new HeldLease(lease, lease.Seal(publisher), id, entries[0].Cid, LeaseOrigin.Friend), entries, room, TestContext.CancellationToken);
    }
}
