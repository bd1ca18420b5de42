using System.ComponentModel;
using System.Globalization;

namespace P2P.NetLab;

/// <summary>Network namespaces of this process, none of which has a way to the machine's own network. Needs Linux, root and iproute2; a test that lacks them skips.</summary>
internal abstract class Laboratory : IAsyncDisposable
{
    private static int s_count;

    // its own among the laboratories of this process and of others; a cable's name may have 15 characters
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"p2p{Environment.ProcessId:x}x{Interlocked.Increment(ref s_count):x}");
    private readonly List<Host> _hosts = [];
    private readonly List<string> _namespaces = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("p2p-netlab-");
    private int _cables;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (Host host in _hosts)
            await host.DisposeAsync();
        foreach (string name in _namespaces)
            await IpAsync($"netns del {name}", CancellationToken.None);
        _folder.Delete(recursive: true);
    }

    /// <summary>Builds a laboratory; or skips the test and says why.</summary>
    protected static async Task<T> BuildAsync<T>(T lab, Func<T, Task> build, CancellationToken cancellationToken)
        where T : Laboratory
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            lab._folder.Delete(recursive: true);
            Assert.Inconclusive(OperatingSystem.IsLinux() ? "network namespaces are made by root only" : "network namespaces are a thing of Linux");
        }

        try
        {
            await lab.AddNamespaceAsync("try", cancellationToken);
        }
        catch (Exception failure) when (failure is InvalidOperationException or Win32Exception)
        {
            lab._folder.Delete(recursive: true);
            Assert.Inconclusive($"no network namespace can be made here: {failure.Message}");
        }

        try
        {
            await build(lab);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Skips the test unless the programs are there.</summary>
    public static void Need(params ReadOnlySpan<string> programs)
    {
        foreach (string program in programs)
        {
            if (!new[] { "/usr/sbin", "/sbin", "/usr/bin", "/bin" }.Any(folder => File.Exists(Path.Combine(folder, program))))
                Assert.Inconclusive($"{program} is not installed here; .ci/run installs it");
        }
    }

    /// <summary>A network in which all hosts reach each other.</summary>
    /// <returns>The namespace of its switch.</returns>
    protected async Task<string> AddSwitchAsync(string name, CancellationToken cancellationToken)
    {
        string space = await AddNamespaceAsync(name, cancellationToken);
        await IpAsync($"-n {space} link add br0 type bridge", cancellationToken);
        await IpAsync($"-n {space} link set br0 up", cancellationToken);
        return space;
    }

    /// <summary>A host without any cable.</summary>
    protected async Task<Host> AddHostAsync(string name, CancellationToken cancellationToken)
    {
        var host = new Host(await AddNamespaceAsync(name, cancellationToken), _folder.CreateSubdirectory(name).FullName);
        _hosts.Add(host);
        await IpAsync($"-n {host.Namespace} link set lo up", cancellationToken);
        return host;
    }

    /// <summary>Plugs a host into a switch.</summary>
    /// <param name="host">The host.</param>
    /// <param name="network">The switch.</param>
    /// <param name="card">The name of the host's interface.</param>
    /// <param name="address">Its address and the length of the network's prefix.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    protected async Task PlugAsync(Host host, string network, string card, string address, CancellationToken cancellationToken)
    {
        string cable = $"{_name}v{_cables++}";
        await IpAsync($"-n {network} link add {cable} type veth peer name {card} netns {host.Namespace}", cancellationToken);
        await IpAsync($"-n {network} link set {cable} master br0 up", cancellationToken);
        await IpAsync($"-n {host.Namespace} addr add {address} dev {card}", cancellationToken);
        await IpAsync($"-n {host.Namespace} link set {card} up", cancellationToken);
    }

    protected static Task IpAsync(string line, CancellationToken cancellationToken) => Host.RunToEndAsync("ip", line.Split(' '), cancellationToken);

    private async Task<string> AddNamespaceAsync(string name, CancellationToken cancellationToken)
    {
        string space = $"{_name}-{name}";
        await IpAsync($"netns add {space}", cancellationToken);
        _namespaces.Add(space);
        return space;
    }
}
