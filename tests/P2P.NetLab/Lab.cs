using System.ComponentModel;
using System.Globalization;

namespace P2P.NetLab;

/// <summary>
/// Hosts on one local network, none of which has a route elsewhere: network namespaces joined by a bridge. Needs Linux, root and iproute2; a test that
/// lacks them skips.
/// </summary>
internal sealed class Lab : IAsyncDisposable
{
    private static int s_count;

    // its own among the labs of this process and of others; a cable's name may have 15 characters
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"p2p{Environment.ProcessId:x}x{Interlocked.Increment(ref s_count):x}");
    private readonly List<Host> _hosts = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("p2p-netlab-");

    private Lab()
    {
    }

    private string Switch => $"{_name}-sw";

    /// <summary>Builds a network of so many hosts, 10.77.0.1 and on; or skips the test and says why.</summary>
    public static async Task<Lab> StartAsync(int hosts, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("network namespaces are a thing of Linux");
        if (!Environment.IsPrivilegedProcess)
            Assert.Inconclusive("network namespaces are made by root only");
        var lab = new Lab();
        try
        {
            await IpAsync($"netns add {lab.Switch}", cancellationToken);
        }
        catch (Exception failure) when (failure is InvalidOperationException or Win32Exception)
        {
            Directory.Delete(lab._folder.FullName, recursive: true);
            Assert.Inconclusive($"no network namespace can be made here: {failure.Message}");
        }

        try
        {
            await IpAsync($"-n {lab.Switch} link add br0 type bridge", cancellationToken);
            await IpAsync($"-n {lab.Switch} link set br0 up", cancellationToken);
            for (int i = 1; i <= hosts; i++)
                lab._hosts.Add(await lab.AddHostAsync(i, cancellationToken));
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }

        return lab;
    }

    /// <summary>A host, counted from 0.</summary>
    public Host this[int index] => _hosts[index];

    /// <summary>Pulls the cable of a host, or puts it back.</summary>
    public Task SetUpAsync(int host, bool up, CancellationToken cancellationToken) =>
        IpAsync($"-n {_hosts[host].Namespace} link set eth0 {(up ? "up" : "down")}", cancellationToken);

    /// <summary>Gives a host a route for multicast, for programs that do not say by which interface they send.</summary>
    public Task AddMulticastRouteAsync(int host, CancellationToken cancellationToken) =>
        IpAsync($"-n {_hosts[host].Namespace} route add 224.0.0.0/4 dev eth0", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (Host host in _hosts)
            await host.DisposeAsync();
        foreach (string name in _hosts.Select(static host => host.Namespace).Append(Switch))
            await IpAsync($"netns del {name}", CancellationToken.None);
        _folder.Delete(recursive: true);
    }

    private async Task<Host> AddHostAsync(int number, CancellationToken cancellationToken)
    {
        string name = $"{_name}-{number}", cable = $"{_name}v{number}";
        await IpAsync($"netns add {name}", cancellationToken);
        var host = new Host(name, _folder.CreateSubdirectory($"host{number}").FullName);
        await IpAsync($"-n {name} link set lo up", cancellationToken);
        await IpAsync($"-n {Switch} link add {cable} type veth peer name eth0 netns {name}", cancellationToken);
        await IpAsync($"-n {Switch} link set {cable} master br0 up", cancellationToken);
        await IpAsync($"-n {name} addr add 10.77.0.{number}/24 dev eth0", cancellationToken);
        await IpAsync($"-n {name} link set eth0 up", cancellationToken);
        return host;
    }

    private static Task IpAsync(string line, CancellationToken cancellationToken) => Host.RunToEndAsync("ip", line.Split(' '), cancellationToken);
}
