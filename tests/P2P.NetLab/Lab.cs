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

    /// <summary>Gives a host a route for multicast, for programs that do not say by which interface they send.</summary>
    public Task AddMulticastRouteAsync(int host, CancellationToken cancellationToken) =>
        IpAsync($"-n {_hosts[host].Namespace} route add 224.0.0.0/4 dev eth0", cancellationToken);
}
