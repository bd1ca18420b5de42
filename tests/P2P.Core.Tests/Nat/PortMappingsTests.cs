using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Nat;
using P2P.Testing;

namespace P2P.Core.Tests.Nat;

/// <summary>Goal: whatever a router speaks, the port is mapped, kept, mapped anew and given back. Method: a router in memory, in virtual time.</summary>
[TestClass]
public sealed class PortMappingsTests : IAsyncDisposable
{
    private const int Limit = 60_000; // ms: for a machine that is busy with other tests
    private const int Port = 4001;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    private readonly VirtualTime _time = new();
    private readonly FakeRouter _router;
    private readonly PortMappings _mappings;
    private readonly CancellationTokenSource _stop = new();
    private List<int> _ports = [Port];
    private Task _running = Task.CompletedTask;
    private int _changes;

    public PortMappingsTests()
    {
        _router = new FakeRouter(_time);
        _time.AdvanceAsync(TimeSpan.FromHours(1)).GetAwaiter().GetResult(); // the router has been running for a while
        _mappings = new PortMappings(_router, () => _ports, () => _changes++, _time, new SeededRandom(1), NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    [DataRow(true, false, false, MappingProtocol.Pcp)]
    [DataRow(false, true, false, MappingProtocol.NatPmp)]
    [DataRow(false, false, true, MappingProtocol.Upnp)]
    [DataRow(true, true, true, MappingProtocol.Pcp)]
    [DataRow(false, true, true, MappingProtocol.NatPmp)]
    public async Task Each_protocol_maps_the_port_and_gives_it_back(bool pcp, bool natPmp, bool upnp, MappingProtocol expected)
    {
        (_router.SpeaksPcp, _router.SpeaksNatPmp, _router.SpeaksUpnp) = (pcp, natPmp, upnp);
        Start();
        await UntilAsync(() => _mappings.Current.Count == 1, TimeSpan.FromSeconds(4));
        PortMapping mapping = _mappings.Current[0];
        Assert.AreEqual((expected, Port, new IPEndPoint(_router.External, Port)), (mapping.Protocol, mapping.InternalPort, mapping.External));
        Assert.AreEqual(Port, _router.Mappings[Port]);
        await UntilAsync(() => _changes == 1, TimeSpan.FromSeconds(1));
        await StopAsync();
        Assert.IsEmpty(_router.Mappings);
        Assert.IsEmpty(_mappings.Current);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(false, false)]
    public async Task A_restart_of_the_router_is_noticed_and_mended_within_a_minute(bool pcp, bool natPmp)
    {
        (_router.SpeaksPcp, _router.SpeaksNatPmp, _router.SpeaksUpnp) = (pcp, natPmp, !pcp && !natPmp);
        Start();
        await UntilAsync(() => _mappings.Current.Count == 1, TimeSpan.FromSeconds(4));
        for (int round = 0; round < 3; round++)
        {
            await _time.AdvanceAsync(TimeSpan.FromSeconds(70), Step);
            _router.IsOff = true;
            _router.Restart();
            await _time.AdvanceAsync(TimeSpan.FromSeconds(25), Step);
            _router.IsOff = false;
            await UntilAsync(() => _router.Mappings.ContainsKey(Port), TimeSpan.FromSeconds(60));
        }
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_lease_is_renewed_at_half_of_its_time_and_not_all_the_time()
    {
        (_router.SpeaksPcp, _router.GrantedSeconds) = (true, 600);
        Start();
        await UntilAsync(() => _mappings.Current.Count == 1, TimeSpan.FromSeconds(4));
        await _time.AdvanceAsync(TimeSpan.FromMinutes(29), TimeSpan.FromSeconds(1));
        Assert.IsTrue(_router.Mappings.ContainsKey(Port));
        int maps = _router.Asked.Count(static asked => asked == "PCP 1");
        Assert.IsTrue(maps is >= 5 and <= 7, $"mapped {maps} times in 29 minutes with leases of 10");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_new_address_of_the_router_is_noticed()
    {
        _router.SpeaksNatPmp = true;
        Start();
        await UntilAsync(() => _mappings.Current.Count == 1, TimeSpan.FromSeconds(4));
        _router.External = IPAddress.Parse("6.6.6.6");
        await UntilAsync(() => _mappings.Current is [{ External.Address: var now }] && now.Equals(_router.External), TimeSpan.FromSeconds(40));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task By_upnp_a_taken_port_is_passed_over_and_a_router_without_leases_gets_none()
    {
        (_router.SpeaksUpnp, _router.OnlyPermanent) = (true, true);
        _router.Taken.Add(Port);
        Start();
        await UntilAsync(() => _mappings.Current.Count == 1, TimeSpan.FromSeconds(6));
        PortMapping mapping = _mappings.Current[0];
        Assert.AreNotEqual(Port, mapping.External.Port);
        Assert.AreEqual(TimeSpan.Zero, mapping.Lifetime);
        Assert.AreEqual(Port, _router.Mappings[mapping.External.Port]);
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    [DataRow("http://192.168.1.7:5000/x", DisplayName = "another host of the network")]
    [DataRow("http://router.example:5000/x", DisplayName = "a name")]
    [DataRow("https://192.168.1.1:5000/x", DisplayName = "another scheme")]
    [DataRow("file:///etc/passwd", DisplayName = "a file")]
    [DataRow("http://user@192.168.1.1:5000/x", DisplayName = "with a user")]
    public async Task Nothing_is_fetched_from_elsewhere_than_the_router(string location)
    {
        (_router.SpeaksUpnp, _router.Location) = (true, location);
        Start();
        await UntilAsync(() => _mappings.Failures.Count == 2, TimeSpan.FromSeconds(8));
        Assert.IsFalse(_router.Asked.Any(static asked => asked.StartsWith("GET", StringComparison.Ordinal)));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Who_is_not_the_router_is_not_believed()
    {
        (_router.SpeaksUpnp, _router.Answerer) = (true, IPAddress.Parse("192.168.1.7"));
        Start();
        await UntilAsync(() => _mappings.Failures.Count == 2, TimeSpan.FromSeconds(8));
        Assert.IsFalse(_router.Asked.Any(static asked => asked.StartsWith("GET", StringComparison.Ordinal)));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_control_url_elsewhere_is_not_called()
    {
        _router.SpeaksUpnp = true;
        _router.Description = UpnpServiceTests.Description("urn:schemas-upnp-org:service:WANIPConnection:1", "http://192.168.1.7/ctl");
        Start();
        await UntilAsync(() => _mappings.Failures.Count == 2, TimeSpan.FromSeconds(8));
        Assert.IsFalse(_router.Asked.Any(static asked => asked.Contains("/ctl", StringComparison.Ordinal)));
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task A_router_that_speaks_nothing_is_asked_seldom_and_says_why()
    {
        Start();
        await UntilAsync(() => _mappings.Failures.Count == 2, TimeSpan.FromSeconds(8));
        CollectionAssert.AreEqual(new[] { "no answer", "no answer" }, _mappings.Failures.Select(static failure => failure.Failure).ToArray());
        await _time.AdvanceAsync(TimeSpan.FromHours(2), TimeSpan.FromSeconds(2));
        int rounds = _router.Asked.Count(static asked => asked == "PCP 0") / 3;
        Assert.IsTrue(rounds is >= 8 and <= 14, $"asked {rounds} times in two hours");
    }

    [TestMethod]
    [Timeout(Limit, CooperativeCancellation = true)]
    public async Task Ports_and_routers_that_come_and_go_are_followed()
    {
        _router.SpeaksPcp = true;
        _ports = [];
        Start();
        await _time.AdvanceAsync(TimeSpan.FromSeconds(20), Step);
        Assert.IsEmpty(_router.Asked, "who does not listen asks for nothing");
        _ports = [Port, 4002];
        _mappings.Look();
        await UntilAsync(() => _mappings.Current.Count == 2, TimeSpan.FromSeconds(4));
        _ports = [4002];
        _mappings.Look();
        await UntilAsync(() => _router.Mappings.Count == 1 && _mappings.Current is [{ InternalPort: 4002 }], TimeSpan.FromSeconds(4));
        _router.IsThere = false;
        await UntilAsync(() => _mappings.Current.Count == 0, TimeSpan.FromSeconds(20));
    }

    private void Start() => _running = _mappings.RunAsync(_stop.Token);

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        while (!_running.IsCompleted)
            await _time.AdvanceAsync(Step);
    }

    private async Task UntilAsync(Func<bool> condition, TimeSpan limit)
    {
        try
        {
            await _time.AdvanceUntilAsync(condition, Step, limit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not within {limit}. Asked: {string.Join(", ", _router.Asked)}. Failures: {string.Join(", ", _mappings.Failures)}");
        }
    }
}
