using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using P2P.Core.Node;

namespace P2P.Core.Tests.Node;

[TestClass]
public sealed class NodeSettingsTests
{
    private const string Json = """
        { "P2P": { "DataDirectory": "/srv/p2p", "NodeName": "attic", "Listen": true, "ListenAddresses": [ "/ip4/127.0.0.1/tcp/4001" ],
          "BootstrapPeers": [ "/ip4/127.0.0.1/tcp/4002/p2p/12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS" ], "Network": "lab",
          "Storage": { "MaxOwnedBytes": 2097152 }, "Exchange": { "ServeFetched": true, "MaxWantedBytesPerPeer": 8388608, "MaxServingBytes": 16777216 },
          "Dht": { "Mode": "Client", "ProvideInterval": "11:00:00", "RefreshInterval": "00:03:00" },
          "Replication": { "OfferBytes": 1048576, "OfferTo": [ "anyone" ], "Grace": "00:00:02", "CheckInterval": "00:00:05", "DelayedRepairWait": "00:01:00", "Lease": "1.00:00:00" },
          "Limits": { "MaxConnections": 99, "MaxConnectionsPerAddress": 7, "MaxInboundStreamsPerPeer": 64, "UploadBytesPerSecond": 2000000, "DownloadBytesPerSecond": 16384, "IdleTimeout": "00:01:30", "DialTimeout": "00:00:07" } } }
        """;

    [TestMethod]
    public void Every_fault_is_listed_with_its_key()
    {
        var options = new P2PNodeOptions
        {
            ListenAddresses = ["/ip4/127.0.0.1/tcp/1", "nonsense"],
            BootstrapPeers = ["/ip4/127.0.0.1/tcp/1"],
            Network = "a b",
            Limits = { MaxConnections = 0, DialTimeout = TimeSpan.Zero, UploadBytesPerSecond = 0, DownloadBytesPerSecond = 16_383 },
        };

        ArgumentException e = Assert.ThrowsExactly<ArgumentException>(() => NodeSettings.From(options));

        foreach (string key in (string[])["DataDirectory", "ListenAddresses:1", "BootstrapPeers:0", "Network", "Limits:MaxConnections", "Limits:DialTimeout", "Limits:UploadBytesPerSecond: 0 bytes a second", "Limits:DownloadBytesPerSecond"])
            StringAssert.Contains(e.Message, key);
    }

    [TestMethod]
    public void A_node_for_one_network_asks_no_router_and_is_in_no_dht()
    {
        P2PNodeOptions options = P2PNodeOptions.LanOnly("/srv/p2p");
        Assert.IsEmpty(options.FindFaults());
        Assert.IsTrue(options.Lan.Enabled);
        Assert.IsFalse(options.Nat.MapPorts);
        Assert.AreEqual(DhtMode.Off, options.Dht.Mode);
        Assert.IsEmpty(options.BootstrapPeers);
    }

    [TestMethod]
    public void Options_that_contradict_each_other_are_faults_and_those_of_no_effect_are_none()
    {
        P2PNodeOptions options = P2PNodeOptions.Loopback("/srv/p2p");
        (options.Dht.Mode, options.Nat.MapPorts, options.Lan.Enabled, options.Replication.OfferTo) = (DhtMode.Off, true, true, ["anyone"]);
        Assert.IsEmpty(options.FindFaults());
        options.Replication.OfferBytes = 1;
        StringAssert.StartsWith(options.FindFaults().Single(), "Replication:OfferBytes: ");
        options.Dht.Mode = DhtMode.Client;
        Assert.IsEmpty(options.FindFaults());
        options.Replication.Lease = 2 * options.Replication.CheckInterval;
        Assert.IsEmpty(options.FindFaults());
        options.Replication.Lease -= TimeSpan.FromSeconds(1);
        StringAssert.StartsWith(options.FindFaults().Single(), "Replication:Lease: ");
    }

    [TestMethod]
    public void Empty_collections_mean_the_documented_default()
    {
        NodeSettings settings = NodeSettings.From(new P2PNodeOptions { DataDirectory = "/srv/p2p" });

        Assert.AreEqual("/ip4/0.0.0.0/tcp/0 /ip6/::/tcp/0", string.Join(' ', settings.ListenAddresses));
        Assert.IsTrue(settings.ListensByDefault);
        Assert.IsEmpty(NodeSettings.From(new P2PNodeOptions { DataDirectory = "/srv/p2p", Listen = false }).ListenAddresses);
    }

    [TestMethod]
    public void Json_bound_by_reflection_by_the_library_and_set_by_hand_gives_the_same_settings()
    {
        IConfiguration section = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Json))).Build().GetSection("P2P");
        var reflected = new P2PNodeOptions();
        section.Bind(reflected);
        P2PNodeOptions generated = OptionsOf(services => services.AddP2P(section)); // the library binds through the generated binder
        P2PNodeOptions byHand = OptionsOf(services => services.AddP2P(options =>
        {
            options.DataDirectory = "/srv/p2p";
            options.NodeName = "attic";
            options.ListenAddresses = ["/ip4/127.0.0.1/tcp/4001"];
            options.BootstrapPeers = ["/ip4/127.0.0.1/tcp/4002/p2p/12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS"];
            options.Network = "lab";
            options.Storage.MaxOwnedBytes = 2097152;
            options.Exchange.ServeFetched = true;
            options.Exchange.MaxWantedBytesPerPeer = 8388608;
            options.Exchange.MaxServingBytes = 16777216;
            options.Dht.Mode = DhtMode.Client;
            options.Dht.ProvideInterval = TimeSpan.FromHours(11);
            options.Dht.RefreshInterval = TimeSpan.FromMinutes(3);
            options.Replication.OfferBytes = 1048576;
            options.Replication.OfferTo = ["anyone"];
            options.Replication.Grace = TimeSpan.FromSeconds(2);
            options.Replication.CheckInterval = TimeSpan.FromSeconds(5);
            options.Replication.DelayedRepairWait = TimeSpan.FromMinutes(1);
            options.Replication.Lease = TimeSpan.FromDays(1);
            options.Limits.MaxConnections = 99;
            options.Limits.MaxConnectionsPerAddress = 7;
            options.Limits.MaxInboundStreamsPerPeer = 64;
            options.Limits.UploadBytesPerSecond = 2_000_000;
            options.Limits.DownloadBytesPerSecond = 16_384;
            options.Limits.IdleTimeout = TimeSpan.FromSeconds(90);
            options.Limits.DialTimeout = TimeSpan.FromSeconds(7);
        }));

        string expected = Describe(NodeSettings.From(byHand));
        Assert.AreEqual(expected, Describe(NodeSettings.From(reflected)));
        Assert.AreEqual(expected, Describe(NodeSettings.From(generated)));
    }

    [TestMethod]
    public void The_host_reports_wrong_options_all_together()
    {
        using ServiceProvider services = new ServiceCollection().AddP2P(options => options.Network = "").BuildServiceProvider();

        OptionsValidationException e = Assert.ThrowsExactly<OptionsValidationException>(() => services.GetRequiredService<IOptions<P2PNodeOptions>>().Value);

        Assert.HasCount(2, e.Failures); // no data folder, no network
    }

    private static P2PNodeOptions OptionsOf(Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        add(services);
        using ServiceProvider provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<P2PNodeOptions>>().Value;
    }

    /// <summary>Every value, lists written out: a record's own ToString would show their type.</summary>
    private static string Describe(NodeSettings settings) =>
        $"{settings} {string.Join(' ', settings.ListenAddresses)} {string.Join(' ', settings.BootstrapPeers)}";
}
