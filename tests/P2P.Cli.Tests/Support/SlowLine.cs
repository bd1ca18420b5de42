using System.Net;
using System.Net.Sockets;

namespace P2P.Cli.Tests.Support;

/// <summary>A line between two processes that carries only so many bytes a second and counts them.</summary>
internal sealed class SlowLine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Task _accepting;
    private long _carried;

    /// <summary>Opens a line to a port of this machine.</summary>
    public SlowLine(int target, int bytesPerSecond)
    {
        (_target, BytesPerSecond) = (target, bytesPerSecond);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What it carries from now on.</summary>
    public int BytesPerSecond { get; set; }

    /// <summary>Bytes that came from the target.</summary>
    public long Carried => Interlocked.Read(ref _carried);

    /// <summary>The same content through this line only.</summary>
    public string Link(System.Text.Json.JsonElement ready, System.Text.Json.JsonElement shared) =>
        $"p2p://{shared.GetProperty("cid").GetString()}/{Uri.EscapeDataString(shared.GetProperty("name").GetString()!)}?peer=/ip4/127.0.0.1/tcp/{Port}/p2p/{ready.GetProperty("peer_id").GetString()}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var lines = new List<Task>();
        try
        {
            while (true)
                lines.Add(CarryAsync(await _listener.AcceptSocketAsync(_stop.Token)));
        }
        finally
        {
            await Task.WhenAll(lines).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task CarryAsync(Socket near)
    {
        using (near)
        using (var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            near.NoDelay = true;
            await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAny(CopyAsync(near, far, isCounted: false), CopyAsync(far, near, isCounted: true));
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isCounted)
    {
        byte[] buffer = new byte[64 << 10];
        int count;
        while ((count = await from.ReceiveAsync(buffer, _stop.Token)) > 0)
        {
            await to.SendAsync(buffer.AsMemory(0, count), _stop.Token);
            if (!isCounted)
                continue;
            Interlocked.Add(ref _carried, count);
            await Task.Delay(TimeSpan.FromSeconds((double)count / BytesPerSecond), _stop.Token);
        }
    }
}
