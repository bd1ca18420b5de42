using System.Net;
using P2P.Core.Discovery;
using P2P.Core.Tests.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Discovery;

/// <summary>Goal: peers of one network find each other at once, and nobody there makes us believe, keep or say more than a little. Method: a network in memory, in virtual time.</summary>
[TestClass]
public sealed class MulticastDnsTests : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly FakeLan _lan = new();
    private readonly VirtualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task Two_find_each_other_at_once_and_learn_of_the_end()
    {
        FakePeer first = Start(), second = Start();
        await UntilAsync(() => first.Found.ContainsKey(second.Id) && second.Found.ContainsKey(first.Id), TimeSpan.FromSeconds(2));
        Assert.AreEqual(second.Host.Listen, first.Found[second.Id].Single());
        Assert.IsFalse(first.Found.ContainsKey(first.Id));

        await second.StopAsync();
        await UntilAsync(() => first.Gone.Contains(second.Id), TimeSpan.FromSeconds(2));
        Assert.IsEmpty(first.Lan.Peers);
    }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task Who_does_not_listen_finds_others_and_is_not_found()
    {
        FakePeer silent = Start(listens: false), other = Start();
        await UntilAsync(() => silent.Found.ContainsKey(other.Id), TimeSpan.FromSeconds(2));
        await RunForAsync(TimeSpan.FromSeconds(30));
        Assert.IsFalse(other.Found.ContainsKey(silent.Id));
    }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task What_comes_from_beyond_the_link_or_leads_there_is_not_believed()
    {
        FakePeer self = Start();
        await UntilAsync(() => self.Host.Opened > 0, TimeSpan.FromSeconds(1));
        PeerId stranger = FakePeer.NewId(), near = FakePeer.NewId();
        var service = new PeerService("x");
        byte[] honest = DnsMessageWriter.Write(service.Announce(stranger, [Multiaddress.Parse("/ip4/10.7.0.99/tcp/1")]));
        _lan.Send(honest, new IPEndPoint(IPAddress.Parse("192.0.2.1"), MulticastSocket.Port)); // a router let it through
        _lan.Send(honest, new IPEndPoint(IPAddress.Parse("10.7.0.99"), 40_000)); // no responder
        _lan.Send(DnsMessageWriter.Write(service.Announce(stranger, [Multiaddress.Parse("/ip4/192.0.2.1/tcp/1"), Multiaddress.Parse("/ip4/127.0.0.1/tcp/1")])), From(99));
        _lan.Send(DnsMessageWriter.Write(service.Announce(near, [Multiaddress.Parse("/ip4/192.0.2.1/tcp/1"), Multiaddress.Parse("/ip4/10.7.0.98/tcp/1")])), From(98));
        await UntilAsync(() => self.Found.ContainsKey(near), TimeSpan.FromSeconds(1));
        Assert.IsFalse(self.Found.ContainsKey(stranger));
        Assert.AreEqual("/ip4/10.7.0.98/tcp/1", $"{self.Found[near].Single()}");
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Invented_peers_are_let_in_a_few_at_a_time_and_never_too_many()
    {
        FakePeer self = Start();
        await UntilAsync(() => self.Host.Opened > 0, TimeSpan.FromSeconds(1));
        var service = new PeerService("x");
        for (int minute = 0; minute < 10; minute++)
        {
            for (int i = 0; i < 100; i++)
                _lan.Send(DnsMessageWriter.Write(service.Announce(FakePeer.NewId(), [Multiaddress.Parse("/ip4/10.7.0.99/tcp/1")])), From(99));
            if (minute == 0)
                await Eventually.TrueAsync(() => self.Lan.Peers.Count == LanPeers.MaxNewPerMinute, TestContext.CancellationToken);
            Assert.IsLessThanOrEqualTo(LanPeers.MaxPeers, self.Lan.Peers.Count);
            await RunForAsync(TimeSpan.FromMinutes(1));
        }

        Assert.IsGreaterThan(LanPeers.MaxNewPerMinute, self.Found.Count);
        await UntilAsync(() => self.Lan.Peers.Count == 0, TimeSpan.FromMinutes(3)); // they fell silent
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task The_same_thing_is_said_once_a_second_however_often_it_is_asked()
    {
        FakePeer self = Start();
        await RunForAsync(TimeSpan.FromSeconds(50)); // its own questions are rare then
        _lan.Said.Clear();
        for (int i = 0; i < 40; i++)
        {
            _lan.Send(DnsMessageWriter.Write(PeerService.Query()), From(99));
            _lan.Send(DnsMessageWriter.Write(PeerService.Query() with { Id = 7 }), new IPEndPoint(IPAddress.Parse("10.7.0.99"), 40_000));
            await RunForAsync(Step);
        }

        Assert.IsInRange(1, 3, _lan.Said.Count(said => said.Message.IsResponse)); // in two seconds
        await Eventually.TrueAsync(() => _lan.Told.Count >= 10, TestContext.CancellationToken);
        Assert.IsLessThanOrEqualTo(45, _lan.Told.Count);
        Assert.IsTrue(_lan.Told.All(told => told.Message.Id == 7 && told.Message.Questions.Count == 1 && told.To.Port == 40_000));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Many_peers_that_know_each_other_are_quiet()
    {
        FakePeer[] peers = [.. Enumerable.Range(0, 20).Select(_ => Start())];
        await UntilAsync(() => peers.All(peer => peer.Found.Count == 19), TimeSpan.FromSeconds(20));
        await RunForAsync(TimeSpan.FromSeconds(120));
        _lan.Said.Clear();
        await RunForAsync(TimeSpan.FromMinutes(5));
        int answers = _lan.Said.Count(said => said.Message.IsResponse), questions = _lan.Said.Count - answers;
        Assert.IsInRange(40, 120, questions); // each asks once a minute
        Assert.IsLessThanOrEqualTo(2 * questions, answers);
        Assert.IsTrue(peers.All(peer => peer.Lan.Peers.Count == 19 && peer.Gone.IsEmpty), "and nobody is lost");
    }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task An_interface_that_comes_back_is_used_again()
    {
        FakePeer first = Start(), second = Start();
        await UntilAsync(() => first.Found.ContainsKey(second.Id), TimeSpan.FromSeconds(2));
        second.Host.SetUp(false);
        await UntilAsync(() => first.Lan.Peers.Count == 0, TimeSpan.FromSeconds(200));
        second.Host.SetUp(true);
        await UntilAsync(() => first.Lan.Peers.Count == 1 && second.Lan.Peers.Count == 1, TimeSpan.FromSeconds(5));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static IPEndPoint From(int host) => new(IPAddress.Parse($"10.7.0.{host}"), MulticastSocket.Port);

    private FakePeer Start(bool listens = true)
    {
        var peer = new FakePeer(_lan.AddHost(), listens, _time, _stop.Token);
        _running.Add(peer.Running);
        return peer;
    }

    // what takes processor time takes virtual time here: on a busy machine much more than it should
    private Task UntilAsync(Func<bool> condition, TimeSpan limit) => _time.AdvanceUntilAsync(condition, Step, 30 * limit);

    private Task RunForAsync(TimeSpan time) => _time.AdvanceAsync(time, time > TimeSpan.FromSeconds(5) ? TimeSpan.FromSeconds(0.25) : Step);
}
