using System.Diagnostics;

namespace P2P.NetLab;

/// <summary>How a router lets itself be asked for ports.</summary>
public enum Asking
{
    Upnp,
    NatPmpAndPcp,
}

/// <summary>A router of a home: masquerades what goes out, drops what nobody asked for, and maps ports by miniupnpd while that runs.</summary>
internal sealed class Router(Host host, string address)
{
    private const string Rules = """
        table inet filter {
          chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "lan0" accept; jump miniupnpd; }
          chain miniupnpd { }
          chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
          chain postrouting { type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd; oifname "wan0" masquerade; }
          chain prerouting_miniupnpd { }
          chain postrouting_miniupnpd { }
        }
        """;

    private ToolRun? _daemon;

    /// <summary>Its address on the internet.</summary>
    public string Address => address;

    /// <summary>Begins to route.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(host["rules"], Rules, cancellationToken);
        await RunAsync(cancellationToken, "sysctl", "-qw", "net.ipv4.ip_forward=1");
        await RunAsync(cancellationToken, "nft", "-f", host["rules"]);
    }

    /// <summary>Sends what is for elsewhere to another router.</summary>
    public Task AddDefaultRouteAsync(string gateway, CancellationToken cancellationToken) => RunAsync(cancellationToken, "ip", "route", "add", "default", "via", gateway);

    /// <summary>Begins to map ports.</summary>
    public async Task StartMappingAsync(Asking by, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(host["miniupnpd.conf"], $"""
            ext_ifname=wan0
            listening_ip=lan0
            http_port=0
            enable_upnp={(by == Asking.Upnp ? "yes" : "no")}
            enable_natpmp={(by == Asking.NatPmpAndPcp ? "yes" : "no")}
            secure_mode=yes
            system_uptime=no
            uuid={Guid.NewGuid()}
            upnp_table_name=filter
            upnp_nat_table_name=filter
            upnp_forward_chain=miniupnpd
            upnp_nat_chain=prerouting_miniupnpd
            upnp_nat_postrouting_chain=postrouting_miniupnpd
            allow 1024-65535 192.168.1.0/24 1024-65535

            """, cancellationToken);
        _daemon = host.StartProgram("miniupnpd", "-d", "-f", host["miniupnpd.conf"], "-P", host["pid"]);
        await _daemon.SaidSomewhereAsync("listening", cancellationToken);
    }

    /// <summary>Maps ports no more, and forgets what it has mapped, as one that is switched off.</summary>
    public async Task StopMappingAsync(CancellationToken cancellationToken)
    {
        await _daemon!.DisposeAsync();
        foreach (string chain in new[] { "miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd" })
            await RunAsync(cancellationToken, "nft", "flush", "chain", "inet", "filter", chain);
    }

    /// <summary>Whether a port leads to somebody at home.</summary>
    public async Task<bool> HasMappingAsync(CancellationToken cancellationToken)
    {
        ToolRun list = host.StartProgram("nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd");
        await list.EndAsync(cancellationToken);
        return list.Output.Contains("dnat", StringComparison.Ordinal);
    }

    /// <summary>Waits until a port leads to somebody at home, or none does.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> WaitForMappingAsync(bool there, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        while (await HasMappingAsync(cancellationToken) != there)
            await Task.Delay(200, cancellationToken);
        return Stopwatch.GetElapsedTime(began);
    }

    private Task RunAsync(CancellationToken cancellationToken, params string[] line) => Host.RunToEndAsync("ip", ["netns", "exec", host.Namespace, .. line], cancellationToken);
}
