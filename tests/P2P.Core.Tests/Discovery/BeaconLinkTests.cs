using System.Net;
using P2P.Core.Discovery;
using P2P.Testing;

namespace P2P.Core.Tests.Discovery;

/// <summary>Goal: where no multicast gets through peers find each other by beacons, under the same limits. Method: a network in memory, in virtual time.</summary>
[TestClass]
public sealed class BeaconLinkTests : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly FakeLan _lan = new() { CarriesMulticast = false, CarriesBroadcast = true };
    private readonly VirtualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task Two_find_each_other_at_once_and_learn_of_the_end()
    {
        FakePeer first = Start();
        await RunForAsync(TimeSpan.FromSeconds(50)); // it is quiet now
        FakePeer second = Start();
        await UntilAsync(() => first.Found.ContainsKey(second.Id) && second.Found.ContainsKey(first.Id), TimeSpan.FromSeconds(1));
        Assert.AreEqual(second.Host.Listen, first.Found[second.Id].Single());
        Assert.IsFalse(first.Found.ContainsKey(first.Id));

        await second.StopAsync();
        await UntilAsync(() => first.Gone.Contains(second.Id), TimeSpan.FromSeconds(1));
        Assert.IsEmpty(first.Lan.Peers);
    }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task Who_does_not_listen_finds_others_and_names_itself_to_nobody()
    {
        FakePeer other = Start();
        await RunForAsync(TimeSpan.FromSeconds(50));
        FakePeer silent = Start(listens: false);
        await UntilAsync(() => silent.Found.ContainsKey(other.Id), TimeSpan.FromSeconds(1));
        await RunForAsync(TimeSpan.FromMinutes(3));
        Assert.IsTrue(_lan.Beacons.All(said => said.Beacon.Peer != silent.Id));
        Assert.AreEqual(5, _lan.Beacons.Count(said => said.From.Address.Equals(silent.Host.Address)), "it has nothing to say once it has asked");
        Assert.HasCount(1, silent.Lan.Peers);
    }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task What_comes_from_beyond_the_link_is_not_believed_and_others_say_no_good_bye()
    {
        FakePeer self = Start();
        await UntilAsync(() => self.Host.Opened > 0, TimeSpan.FromSeconds(1));
        PeerId stranger = FakePeer.NewId(), near = FakePeer.NewId();
        Send(new Beacon(stranger, [1]), "192.0.2.1"); // a router let it through
        Send(new Beacon(near, [2]), "10.7.0.98");
        await UntilAsync(() => self.Found.ContainsKey(near), TimeSpan.FromSeconds(1));
        Assert.IsFalse(self.Found.ContainsKey(stranger));
        Assert.AreEqual("/ip4/10.7.0.98/tcp/2", $"{self.Found[near].Single()}");

        Send(new Beacon(near, []) { IsGoodbye = true }, "10.7.0.97");
        Send(new Beacon(stranger, []) { IsGoodbye = true }, "10.7.0.97");
        await RunForAsync(TimeSpan.FromSeconds(2));
        Assert.HasCount(1, self.Lan.Peers);
        Send(new Beacon(near, []) { IsGoodbye = true }, "10.7.0.98");
        await UntilAsync(() => self.Gone.Contains(near), TimeSpan.FromSeconds(1));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Invented_peers_are_let_in_a_few_at_a_time_and_fall_silent()
    {
        FakePeer self = Start();
        await UntilAsync(() => self.Host.Opened > 0, TimeSpan.FromSeconds(1));
        for (int i = 0; i < 100; i++)
            Send(new Beacon(FakePeer.NewId(), [1]), "10.7.0.99");
        await UntilAsync(() => self.Lan.Peers.Count == LanPeers.MaxNewPerMinute, TimeSpan.FromSeconds(1));
        await UntilAsync(() => self.Lan.Peers.Count == 0, TimeSpan.FromMinutes(3));
        Assert.HasCount(LanPeers.MaxNewPerMinute, self.Found);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task It_answers_once_a_second_however_often_it_is_asked()
    {
        Start();
        await RunForAsync(TimeSpan.FromSeconds(50)); // it speaks once a minute then
        _lan.Beacons.Clear();
        for (int i = 0; i < 40; i++)
        {
            Send(new Beacon(default, []) { Asks = true }, "10.7.0.99");
            await RunForAsync(Step);
        }

        Assert.IsInRange(1, 3, _lan.Beacons.Count); // in two seconds
        Assert.IsTrue(_lan.Beacons.All(static said => !said.Beacon.Asks));
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Many_peers_that_know_each_other_are_quiet()
    {
        FakePeer[] peers = [.. Enumerable.Range(0, 20).Select(_ => Start())];
        await UntilAsync(() => peers.All(peer => peer.Found.Count == 19), TimeSpan.FromSeconds(20));
        await RunForAsync(TimeSpan.FromSeconds(120));
        TestContext.WriteLine($"{_lan.Beacons.Count} beacons until then");
        _lan.Beacons.Clear();
        await RunForAsync(TimeSpan.FromMinutes(5));
        TestContext.WriteLine($"{_lan.Beacons.Count} beacons in five minutes more");
        Assert.IsInRange(80, 100, _lan.Beacons.Count); // one of each a minute, and nobody answers
        Assert.IsTrue(peers.All(peer => peer.Lan.Peers.Count == 19 && peer.Gone.IsEmpty), "and nobody is lost");
    }

    [TestMethod]
    [Timeout(90_000, CooperativeCancellation = true)]
    public async Task A_port_that_is_taken_is_done_without()
    {
        _lan.CarriesMulticast = true;
        var host = new FakeHost(_lan, IPAddress.Parse("10.7.1.1")) { IsBeaconPortTaken = true };
        _lan.Add(host);
        FakePeer first = Start(), second = Start(host);
        await UntilAsync(() => first.Found.ContainsKey(second.Id) && second.Found.ContainsKey(first.Id), TimeSpan.FromSeconds(2));
        Assert.IsTrue(_lan.Beacons.All(said => said.From.Address.Equals(first.Host.Address)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void Send(Beacon beacon, string from) => _lan.Send(beacon.Write(), new IPEndPoint(IPAddress.Parse(from), 40_000), isBroadcast: true);

    private FakePeer Start(bool listens = true) => Start(_lan.AddHost(), listens);

    private FakePeer Start(FakeHost host, bool listens = true)
    {
        var peer = new FakePeer(host, listens, _time, _stop.Token);
        _running.Add(peer.Running);
        return peer;
    }

    // what takes processor time takes virtual time here: on a busy machine much more than it should
    private Task UntilAsync(Func<bool> condition, TimeSpan limit) => _time.AdvanceUntilAsync(condition, Step, 30 * limit);

    private Task RunForAsync(TimeSpan time) => _time.AdvanceAsync(time, time > TimeSpan.FromSeconds(5) ? TimeSpan.FromSeconds(0.25) : Step);
}
