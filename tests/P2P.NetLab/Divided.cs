namespace P2P.NetLab;

/// <summary>A local network of two switches with a cable between them: two hosts on the left, one on the right, none with a route elsewhere.</summary>
internal sealed class Divided : Laboratory
{
    private string _left = "";

    private Divided()
    {
    }

    public Host LeftA { get; private set; } = null!;

    public Host LeftB { get; private set; } = null!;

    public Host Right { get; private set; } = null!;

    /// <summary>Builds it, joined; or skips the test and says why.</summary>
    public static Task<Divided> StartAsync(CancellationToken cancellationToken) => BuildAsync(
        new Divided(),
        async lab =>
        {
            lab._left = await lab.AddSwitchAsync("left", cancellationToken);
            string right = await lab.AddSwitchAsync("right", cancellationToken);
            await IpAsync($"-n {lab._left} link add trunk type veth peer name trunk netns {right}", cancellationToken);
            foreach (string network in new[] { lab._left, right })
                await IpAsync($"-n {network} link set trunk master br0 up", cancellationToken);
            lab.LeftA = await lab.AddHostAsync("a", cancellationToken);
            lab.LeftB = await lab.AddHostAsync("b", cancellationToken);
            lab.Right = await lab.AddHostAsync("c", cancellationToken);
            await lab.PlugAsync(lab.LeftA, lab._left, "eth0", "10.78.0.1/24", cancellationToken);
            await lab.PlugAsync(lab.LeftB, lab._left, "eth0", "10.78.0.2/24", cancellationToken);
            await lab.PlugAsync(lab.Right, right, "eth0", "10.78.0.3/24", cancellationToken);
        },
        cancellationToken);

    /// <summary>Pulls the cable between the switches, or puts it back. The hosts' own cables stay, so nothing tells them.</summary>
    public Task JoinAsync(bool joined, CancellationToken cancellationToken) => IpAsync($"-n {_left} link set trunk {(joined ? "up" : "down")}", cancellationToken);
}
