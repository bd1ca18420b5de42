namespace P2P.NetLab;

/// <summary>
/// Two homes, each a host behind a router that translates addresses, and a public host, on an internet of their own. The addresses of that internet are such as
/// routers take for public ones; they lead nowhere but to the namespaces. Needs nftables and miniupnpd.
/// </summary>
internal sealed class Homes : Laboratory
{
    private Homes()
    {
    }

    /// <summary>A host with a public address.</summary>
    public Host Public { get; private set; } = null!;

    /// <summary>The hosts at home, both 192.168.1.2 in their own network.</summary>
    public Host A { get; private set; } = null!;

    public Host B { get; private set; } = null!;

    /// <summary>Their routers.</summary>
    public Router RouterA { get; private set; } = null!;

    public Router RouterB { get; private set; } = null!;

    /// <summary>Builds it; or skips the test and says why.</summary>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <param name="throughCarrier">Whether the first home's provider translates addresses once more: its router has none on the internet.</param>
    public static Task<Homes> StartAsync(CancellationToken cancellationToken, bool throughCarrier = false)
    {
        Need("nft", "miniupnpd");
        return BuildAsync(
            new Homes(),
            async lab =>
            {
                string internet = await lab.AddSwitchAsync("net", cancellationToken);
                lab.Public = await lab.AddHostAsync("pub", cancellationToken);
                await lab.PlugAsync(lab.Public, internet, "eth0", "11.1.0.1/8", cancellationToken);
                (lab.RouterA, lab.A) = throughCarrier
                    ? await lab.AddHomeAsync("a", await lab.AddCarrierAsync(internet, "11.4.0.1", cancellationToken), "100.64.0.2/10", cancellationToken)
                    : await lab.AddHomeAsync("a", internet, "11.2.0.1/8", cancellationToken);
                if (throughCarrier)
                    await lab.RouterA.AddDefaultRouteAsync("100.64.0.1", cancellationToken);
                (lab.RouterB, lab.B) = await lab.AddHomeAsync("b", internet, "11.3.0.1/8", cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>A provider that gives its customers private addresses.</summary>
    /// <returns>The network of its customers, in which it is 100.64.0.1.</returns>
    private async Task<string> AddCarrierAsync(string internet, string address, CancellationToken cancellationToken)
    {
        string customers = await AddSwitchAsync("cust", cancellationToken);
        Host carrier = await AddHostAsync("cgn", cancellationToken);
        await PlugAsync(carrier, internet, "wan0", $"{address}/8", cancellationToken);
        await PlugAsync(carrier, customers, "lan0", "100.64.0.1/10", cancellationToken);
        await new Router(carrier, address).BeginAsync(cancellationToken);
        return customers;
    }

    private async Task<(Router Router, Host Host)> AddHomeAsync(string name, string internet, string address, CancellationToken cancellationToken)
    {
        string network = await AddSwitchAsync($"h{name}", cancellationToken);
        Host router = await AddHostAsync($"r{name}", cancellationToken), host = await AddHostAsync(name, cancellationToken);
        await PlugAsync(router, internet, "wan0", address, cancellationToken);
        await PlugAsync(router, network, "lan0", "192.168.1.1/24", cancellationToken);
        await PlugAsync(host, network, "eth0", "192.168.1.2/24", cancellationToken);
        await IpAsync($"-n {host.Namespace} route add default via 192.168.1.1", cancellationToken);
        var made = new Router(router, address[..address.IndexOf('/')]);
        await made.BeginAsync(cancellationToken);
        return (made, host);
    }
}
