using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Identity;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

[TestClass]
public sealed class DialLimitsTests
{
    [TestMethod]
    public void A_bucket_lets_a_burst_through_and_then_its_rate()
    {
        TokenBucket bucket = new(200, 5, TimeSpan.TicksPerSecond);
        int taken = 0;
        for (long now = 0; now <= 60 * TimeSpan.TicksPerSecond; now += TimeSpan.TicksPerMillisecond)
        {
            while (bucket.TryTake(now) == TimeSpan.Zero)
            {
                taken++;
            }
        }

        Assert.AreEqual(500, taken, 1);
        TimeSpan wait = bucket.TryTake(60 * TimeSpan.TicksPerSecond);
        Assert.IsGreaterThan(TimeSpan.Zero, wait);
        Assert.AreEqual(TimeSpan.Zero, bucket.TryTake((60 * TimeSpan.TicksPerSecond) + wait.Ticks));
    }

    [TestMethod]
    public void A_failing_peer_is_left_alone_longer_each_time_and_not_at_all_once_reached()
    {
        VirtualTime time = new();
        DialBackoff backoff = new(time, new SeededRandom(1));
        PeerId peer = new PeerIdOfNobody().Id;
        Assert.AreEqual(TimeSpan.Zero, backoff.RemainingFor(peer));
        TimeSpan last = TimeSpan.Zero;
        for (int i = 0; i < 6; i++)
        {
            backoff.OnPeerFailed(peer);
            TimeSpan pause = backoff.RemainingFor(peer);
            Assert.IsGreaterThan(last * 1.5, pause);
            last = pause;
            time.Advance(pause);
            Assert.AreEqual(TimeSpan.Zero, backoff.RemainingFor(peer));
        }

        for (int i = 0; i < 40; i++)
        {
            backoff.OnPeerFailed(peer);
        }

        Assert.IsLessThanOrEqualTo(DialBackoff.MaxPause * 1.25, backoff.RemainingFor(peer));
        backoff.OnPeerReached(peer);
        Assert.AreEqual(TimeSpan.Zero, backoff.RemainingFor(peer));
    }

    [TestMethod]
    public void An_ip_address_is_held_back_by_three_failures_within_ten_minutes()
    {
        VirtualTime time = new();
        DialBackoff backoff = new(time, new SeededRandom(1), maxEntries: 10);
        IPAddress address = IPAddress.Parse("1.2.3.4");
        for (int i = 0; i < 3; i++)
        {
            Assert.IsFalse(backoff.IsHeldBack(address));
            backoff.OnHandshakeFailed(address);
            time.Advance(TimeSpan.FromMinutes(3));
        }

        Assert.IsTrue(backoff.IsHeldBack(address));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.IsFalse(backoff.IsHeldBack(address));
        for (int i = 0; i < 12; i++)
        {
            backoff.OnHandshakeFailed(new IPAddress(i));
        }

        backoff.OnHandshakeFailed(address);
        Assert.IsFalse(backoff.IsHeldBack(address), "Its entry should have made room.");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Dials_that_wait_for_an_ip_address_are_held_back_too_once_others_failed_there()
    {
        using IdentityKey identity = IdentityKey.Generate();
        HangingUpTransport transport = new();
        await using ConnectionPool pool = new(
            identity, [transport], new ConnectionOptions { OnLink = static () => [] }, TimeProvider.System, new SeededRandom(1), NullLoggerFactory.Instance);
        Task<Connection>[] dials = [.. Enumerable.Range(1, 30).Select(port =>
            pool.ConnectAsync(new PeerIdOfNobody().Id, [Multiaddress.Parse($"/ip4/1.2.3.4/tcp/{port}")], AddressOrigin.Peer, CancellationToken.None))];
        foreach (Task<Connection> dial in dials)
        {
            await Assert.ThrowsAsync<P2PException>(() => dial);
        }

        Assert.IsLessThanOrEqualTo(4, transport.Dials, "Three fail, and one more is under way when the third does.");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Whoever_names_a_strangers_address_for_many_peers_gets_it_dialed_six_times_a_minute()
    {
        using IdentityKey identity = IdentityKey.Generate();
        RefusingTransport transport = new();
        VirtualTime time = new();
        await using ConnectionPool pool = new(
            identity, [transport], new ConnectionOptions { OnLink = static () => [] }, time, new SeededRandom(1), NullLoggerFactory.Instance);
        for (int minute = 1; minute <= 3; minute++)
        {
            for (int port = 1; port <= 40; port++)
            {
                P2PException error = await Assert.ThrowsAsync<P2PException>(() =>
                    pool.ConnectAsync(new PeerIdOfNobody().Id, [Multiaddress.Parse($"/ip4/1.2.3.4/tcp/{port}")], AddressOrigin.Peer, CancellationToken.None));
                Assert.AreEqual(port > DialBackoff.MaxDialsInVain, error.Message.Contains("in vain", StringComparison.Ordinal), error.Message);
            }

            Assert.AreEqual(minute * DialBackoff.MaxDialsInVain, transport.Dials);
            await Assert.ThrowsAsync<P2PException>(() =>
                pool.ConnectAsync(new PeerIdOfNobody().Id, [Multiaddress.Parse("/ip4/4.3.2.1/tcp/1")], AddressOrigin.Peer, CancellationToken.None));
            transport.Dials--; // another address is dialed all the same
            time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [TestMethod]
    public void An_address_with_many_peers_that_answer_is_dialed_as_often_as_there_are_peers()
    {
        DialBackoff backoff = new(new VirtualTime(), new SeededRandom(1));
        IPAddress address = IPAddress.Parse("1.2.3.4");
        for (int i = 0; i < 50; i++)
        {
            Assert.IsTrue(backoff.TryBegin(address));
            backoff.OnReached(address);
        }

        for (int i = 0; i < DialBackoff.MaxDialsInVain; i++)
        {
            Assert.IsTrue(backoff.TryBegin(address));
        }

        Assert.IsFalse(backoff.TryBegin(address));
        backoff.OnReached(address);
        Assert.IsTrue(backoff.TryBegin(address));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_name_that_no_resolver_takes_fails_the_dial_like_any_other()
    {
        using IdentityKey identity = IdentityKey.Generate();
        await using ConnectionPool pool = new(
            identity, [new HangingUpTransport()], new ConnectionOptions(), TimeProvider.System, new SeededRandom(1), NullLoggerFactory.Instance);
        foreach (string name in new[] { "0.0.0.0", new string('a', 300) })
        {
            P2PException error = await Assert.ThrowsAsync<P2PException>(() =>
                pool.ConnectAsync(new PeerIdOfNobody().Id, [Multiaddress.Parse($"/dns4/{name}/tcp/1")], AddressOrigin.User, CancellationToken.None));
            Assert.AreEqual(P2PErrorCode.Unreachable, error.Code);
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_budget_bounds_what_is_in_flight_for_far_addresses_only()
    {
        VirtualTime time = new();
        using DialBudget budget = new(new ConnectionOptions { MaxDialsInFlight = 3, MaxBackgroundDialsInFlight = 1 }, time);
        List<IDisposable> held = [];
        for (int i = 0; i < 3; i++)
        {
            held.Add(await budget.EnterAsync(new IPAddress(i), false, DialPurpose.Awaited, CancellationToken.None));
        }

        Task<IDisposable> fourth = budget.EnterAsync(new IPAddress(9), false, DialPurpose.Awaited, CancellationToken.None);
        Assert.IsFalse(fourth.IsCompleted);
        using (await budget.EnterAsync(new IPAddress(10), true, DialPurpose.Awaited, CancellationToken.None))
        using (await budget.EnterAsync(new IPAddress(11), false, DialPurpose.Background, CancellationToken.None))
        {
            Assert.IsFalse(fourth.IsCompleted);
        }

        held[0].Dispose();
        (await fourth).Dispose();
        using CancellationTokenSource canceled = new();
        using (await budget.EnterAsync(new IPAddress(1), true, DialPurpose.Awaited, CancellationToken.None))
        {
            Task<IDisposable> third = budget.EnterAsync(new IPAddress(1), true, DialPurpose.Awaited, canceled.Token);
            Assert.IsFalse(third.IsCompleted, "Two dials to one address are in flight.");
            await canceled.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(() => third);
        }

        held[1].Dispose();
        held[2].Dispose();
    }

    /// <summary>Whoever is dialed hangs up at once.</summary>
    private sealed class RefusingTransport : ITransport
    {
        public int Dials { get; set; }

        public bool CanDial(Multiaddress address) => true;

        public bool CanListen(Multiaddress address) => false;

        public ValueTask<ITransportConnection> DialAsync(Multiaddress address, CancellationToken cancellationToken)
        {
            Dials++;
            throw new IOException("refused");
        }

        public ValueTask<ITransportListener> ListenAsync(Multiaddress address, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private sealed class HangingUpTransport : ITransport
    {
        private int _dials;

        public int Dials => _dials;

        public bool CanDial(Multiaddress address) => true;

        public bool CanListen(Multiaddress address) => false;

        public async ValueTask<ITransportConnection> DialAsync(Multiaddress address, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _dials);
            await Task.Yield();
            (MemoryConnection near, MemoryConnection far) = MemoryConnection.NewPair();
            await far.DisposeAsync();
            return near;
        }

        public ValueTask<ITransportListener> ListenAsync(Multiaddress address, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
