using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core;
using P2P.Core.Diagnostics;
using P2P.Core.Discovery;
using P2P.Core.Nat;
using P2P.Core.Node;

namespace P2P.Testing;

/// <summary>
/// Real nodes on a network in memory: no sockets, no ports, no waiting for clocks. Each node has a data folder of its own that goes with the network.
/// </summary>
/// <example>
/// <code>
/// await using var network = new TestNetwork(seed: 1);
/// P2PNode a = await network.StartNodeAsync(), b = await network.StartNodeAsync();
/// Share share = await a.ShareAsync("film.mkv");
/// await b.FetchAsync(share.Link, "copy.mkv");
/// </code>
/// </example>
public sealed class TestNetwork : IAsyncDisposable
{
    private readonly MemoryNetwork _network;
    private readonly SeededRandom _random;
    private readonly ILoggerFactory _loggers;
    private readonly P2PMetrics _metrics = new(meters: null);
    private readonly List<P2PNode> _nodes = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-testnetwork-").FullName;

    /// <summary>Creates a network without nodes.</summary>
    /// <param name="seed">Everything that the nodes leave to chance follows from it, but for keys and the thread pool's order.</param>
    /// <param name="loggers">Where the nodes' logs go; null: nowhere.</param>
    public TestNetwork(ulong seed = 0, ILoggerFactory? loggers = null)
    {
        _random = new SeededRandom(seed);
        _loggers = loggers ?? NullLoggerFactory.Instance;
        _network = new MemoryNetwork(Time);
    }

    /// <summary>The clock of all nodes. It stands still until it is advanced; transfers need no clock, time-outs do.</summary>
    public VirtualTime Time { get; } = new();

    /// <summary>The nodes that were started.</summary>
    public IReadOnlyList<P2PNode> Nodes => _nodes;

    /// <summary>The networks that every node has an interface in; who is in none of them is a stranger.</summary>
    internal IReadOnlyList<IPNetwork> OnLink { get; set; } = [IPNetwork.Parse("10.0.0.0/8")];

    /// <summary>The local network of a node that listens on an address; null: there is none.</summary>
    internal Func<IPAddress, ILanSystem>? Lan { get; set; }

    /// <summary>The routers of the nodes; null: there are none.</summary>
    internal IGatewaySystem? Gateways { get; set; }

    /// <summary>Starts a node that listens on an address of this network.</summary>
    /// <param name="configure">Changes its options; the data folder and the listen address are set already.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public async Task<P2PNode> StartNodeAsync(Action<P2PNodeOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        MemoryTransport host = _network.NewHost();
        var options = new P2PNodeOptions { DataDirectory = Path.Combine(_folder, $"node-{_nodes.Count}"), ListenAddresses = [host.ListenAddress().ToString()] };
        configure?.Invoke(options);
        ILanSystem? lan = host.ListenAddress().TryGetIPAddress(out IPAddress? address) ? Lan?.Invoke(address) : null;
        var node = new P2PNode(options, new NodeSeams(Time, _random.Fork(), [host], _loggers, _metrics) { OnLink = () => OnLink, Lan = lan, Gateways = Gateways });
        _nodes.Add(node);
        await node.StartAsync(cancellationToken).ConfigureAwait(false);
        return node;
    }

    /// <summary>Stops all nodes and removes their folders.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (P2PNode node in _nodes)
            await node.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
