using System.Text;
using System.Text.Json;
using P2P.Cli.Output;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.Output;

[TestClass]
public sealed class EventTests
{
    private const string Cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    private const string Peer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

    private static readonly JsonEvent[] s_all =
    [
        new ReadyEvent(Peer, ["/ip4/127.0.0.1/tcp/4001"]),
        new ImportEvent(1, null),
        new SharedEvent(Cid, $"p2p://{Cid}/x", "x", 1, 1, null, []) { Paths = ["/x"], Changed = 1, ChangedFiles = [new ChangedFileEntry("/x", "missing")] },
        new PlanEvent(Cid, "x", 1, 1, 1, 1, ["y"], ["z: why"], []),
        new UnsharedEvent(Cid, "x", null, 1, 3, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)),
        new AnnouncedEvent(18, 20, true),
        new ServedEvent(Peer, 5),
        new ResumedEvent(5),
        new ProgressEvent(1, null, 0, 0),
        new StalledEvent(12.5, [new StalledAttempt("203.0.113.5:24817", "no answer in 5 s")]),
        new RenamedEvent("a", "b"),
        new DoneEvent("/x", Cid, 1, 0, 1, 0.5, new Dictionary<string, long> { [Peer] = 1 }),
        new IdEvent(Peer),
        new CidEvent("x", Cid, null),
        new EntryEvent("x", "file", null, Cid),
        new CarEvent("import", null, [Cid], 1, 2, null, 0.5),
        new LinkEvent(Cid, null, null, false, [new LinkPeer(Peer, [])]),
        new DemoEvent(true, 1, 2, 3, 4, new Dictionary<string, long>()),
        new PinEvent(null, "x", "in_progress", 0, 0, null, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), null),
        new UnpinnedEvent(Cid),
        new DamageEvent("/x", null, null, "index", false, ["x"]),
        new VerifiedEvent(1, 2, 3, 4, 5, 0.5),
        new RepairedEvent(false, 1, 2, 3, 4, 5, ["x"], 0.5),
        new GcEvent(1, 2, 3, 4),
        new StatusEvent(true, 1, "node", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), Peer, "p2p", ["/ip4/127.0.0.1/tcp/4001"], 1, 2, 3, 4, new StatusDht(true, 5, 6, 7, 8, 9, 1.5), [new StatusWarning("x", "y")]),
        new PeersEvent(true, [new PeersEntry(Peer, "/ip4/127.0.0.1/tcp/4001", true, null, 0.5, 1, 2)]),
        new PeerEvent(Peer, null, ["/ip4/192.168.1.5/tcp/4001"]),
        new PeerGoneEvent(Peer),
        new ItemEvent("x", Cid, 1, $"p2p://{Cid}/x", Peer),
        new ItemGoneEvent("x", Cid, Peer),
        new StoreStatEvent(1, 2, 3, 4, 5, 6, 7, 8, 9, null, null, [new StoreStatKind("shared", 1, 2, 3, 4, 5)]),
        new StoreStatPublishersEvent([new StoreStatPublisher(Peer, 1, 2, 3, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc))]),
        new ReplicatedEvent(Cid, 65, 2, 1, 3, 3.5, 5, null, new Dictionary<string, int> { ["full"] = 2 }),
        new HealthEvent(Cid, 65, 2, 1, 3, 3.5, 5, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)),
        new ReplicaRemovedEvent(Cid, null, 3),
        new DoctorEvent(true, "reachable", [new DoctorCheck("LAN", "ok", "x")], ["x"], [new DoctorMapping("upnp", "192.168.1.1", "/ip4/203.0.113.5/tcp/4001", 4001, 3600)], ["203.0.113.5"], [new DoctorTested("/ip4/203.0.113.5/tcp/4001", "reachable", 2)]),
        new ConfigEvent("timeout", "2m", "default", null),
        new VersionEvent("1", null),
        new WarningEvent("port_taken", "x"),
        new ErrorEvent("usage", "x"),
    ];

    [TestMethod]
    public void Every_event_has_a_schema_and_keeps_to_it()
    {
        foreach (JsonEvent one in s_all)
            Assert.AreEqual(one.Event, EventSchemas.Check(Write(one)).GetProperty("event").GetString());
        CollectionAssert.AreEquivalent(s_all.Select(one => one.Event).ToArray(), EventSchemas.Names.ToArray());
        int records = typeof(JsonEvent).Assembly.GetTypes().Count(type => type.IsSubclassOf(typeof(JsonEvent)));
        Assert.HasCount(records, s_all, "a new event belongs into this list and into docs/json.md");
    }

    [TestMethod]
    public void The_validator_finds_faults()
    {
        JsonElement schema = JsonDocument.Parse("""
            {"type":"object","properties":{"a":{"type":"integer","minimum":0},"b":{"type":"array","items":{"type":"string","pattern":"^x"}},"c":{"enum":["y"]}},"required":["a"]}
            """).RootElement;
        foreach (string wrong in new[] { "{}", """{"a":-1}""", """{"a":"1"}""", """{"a":1.5}""", """{"a":1,"b":["y"]}""", """{"a":1,"c":"z"}""", """{"a":1,"d":0}""" })
        {
            var faults = new List<string>();
            EventSchemas.Validate(JsonDocument.Parse(wrong).RootElement, schema, "$", faults);
            Assert.AreNotEqual(0, faults.Count, wrong);
        }
    }

    [TestMethod]
    public void A_line_is_one_line_and_cannot_steer_a_terminal()
    {
        string line = Write(new RenamedEvent("a\nb\u001b[31m\u202Ec\u2028", "Übung 日本 🎬 'x' & \"y\""));
        Assert.IsFalse(line.AsSpan().ContainsAny("\n\r\u001b\u202E\u2028"), line);
        JsonElement json = JsonDocument.Parse(line).RootElement;
        Assert.AreEqual("a\nb\u001b[31m\u202Ec\u2028", json.GetProperty("from").GetString());
        Assert.AreEqual("Übung 日本 🎬 'x' & \"y\"", json.GetProperty("to").GetString());
        StringAssert.Contains(line, "Übung 日本");
    }

    [TestMethod]
    public void Lines_of_several_threads_do_not_interleave()
    {
        var output = new MemoryStream();
        var events = new EventWriter(output, TimeProvider.System);
        Parallel.For(0, 2_000, i => events.Write(new ImportEvent(i, 2_000)));
        string[] lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 2_000).ToArray(), lines.Select(line => EventSchemas.Check(line).GetProperty("bytes").GetInt32()).ToArray());
    }

    [TestMethod]
    public void Unknown_is_null()
    {
        JsonElement json = JsonDocument.Parse(Write(new ProgressEvent(1, null, 2, 3))).RootElement;
        Assert.AreEqual(JsonValueKind.Null, json.GetProperty("total").ValueKind);
    }

    private static string Write(JsonEvent one)
    {
        var output = new MemoryStream();
        new EventWriter(output, TimeProvider.System).Write(one);
        string text = Encoding.UTF8.GetString(output.ToArray());
        StringAssert.EndsWith(text, "}\n");
        return text[..^1];
    }
}
