using System.Globalization;

namespace P2P.NetLab;

/// <summary>Hosts on one local network, none of which has a route elsewhere.</summary>
internal sealed class Lab : Laboratory
{
    private readonly List<Host> _hosts = [];

    private Lab()
    {
    }

    /// <summary>Builds a network of so many hosts, 10.77.0.1 and on; or skips the test and says why.</summary>
    public static Task<Lab> StartAsync(int hosts, CancellationToken cancellationToken) => BuildAsync(
        new Lab(),
        async lab =>
        {
            string network = await lab.AddSwitchAsync("sw", cancellationToken);
            for (int i = 1; i <= hosts; i++)
            {
                Host host = await lab.AddHostAsync($"{i}", cancellationToken);
                await lab.PlugAsync(host, network, "eth0", $"10.77.0.{i}/24", cancellationToken);
                lab._hosts.Add(host);
            }
        },
        cancellationToken);

    /// <summary>A host, counted from 0.</summary>
    public Host this[int index] => _hosts[index];

    /// <summary>Pulls the cable of a host, or puts it back.</summary>
    public Task SetUpAsync(int host, bool up, CancellationToken cancellationToken) =>
        IpAsync($"-n {_hosts[host].Namespace} link set eth0 {(up ? "up" : "down")}", cancellationToken);

    /// <summary>Limits what a host sends (Mbit/s), or limits it anew.</summary>
    public async Task LimitAsync(int host, int rate, CancellationToken cancellationToken)
    {
        try
        {
            await IpAsync(string.Create(CultureInfo.InvariantCulture, $"netns exec {_hosts[host].Namespace} tc qdisc replace dev eth0 root tbf rate {rate}mbit burst 64kb latency 100ms"), cancellationToken);
        }
        catch (InvalidOperationException failure) when (failure.Message.Contains("qdisc kind is unknown", StringComparison.Ordinal))
        {
            Assert.Inconclusive($"the kernel limits no links here: {failure.Message}");
        }
    }

    /// <summary>Lets no packet of a UDP port into a host or out of it, as a firewall does.</summary>
    public async Task DropAsync(int host, int port, CancellationToken cancellationToken)
    {
        string rules = string.Create(CultureInfo.InvariantCulture, $$"""
            table inet drops{{port}} {
              chain in { type filter hook input priority 0; policy accept; udp dport {{port}} drop; }
              chain out { type filter hook output priority 0; policy accept; udp dport {{port}} drop; }
            }
            """);
        string file = _hosts[host][$"drops{port}"];
        await File.WriteAllTextAsync(file, rules, cancellationToken);
        await IpAsync($"netns exec {_hosts[host].Namespace} nft -f {file}", cancellationToken);
    }

    /// <summary>Gives a host a route for multicast, for programs that do not say by which interface they send.</summary>
    public Task AddMulticastRouteAsync(int host, CancellationToken cancellationToken) =>
        IpAsync($"-n {_hosts[host].Namespace} route add 224.0.0.0/4 dev eth0", cancellationToken);
}
