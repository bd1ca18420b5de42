using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Connections;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

/// <summary>
/// The limits on what a node sends and receives: they hold, are shared fairly, and let small things through. The clock moves only when every connection
/// waits for its turn, so the numbers do not depend on the machine.
/// </summary>
[TestClass]
public sealed class BandwidthTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly VirtualTime _time = new();

    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [DataRow(true, 16 * 1024, 1)]
    [DataRow(true, 1_000_000, 1)]
    [DataRow(true, 1_000_000, 3)]
    [DataRow(true, 20_000_000, 2)]
    [DataRow(false, 16 * 1024, 1)]
    [DataRow(false, 1_000_000, 1)]
    [DataRow(false, 1_000_000, 3)]
    [DataRow(false, 20_000_000, 2)]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task The_rate_holds_and_connections_share_it(bool sends, int rate, int count)
    {
        using RateLimit limit = new(rate, _time);
        Traffic[] all = [.. Enumerable.Range(0, count).Select(_ => new Traffic(limit, sends, Token))];
        await Eventually.TrueAsync(() => all.All(static each => each.IsHeldBack), Token); // the first burst is over
        await Task.Delay(20, Token);
        long[] before = [.. all.Select(static each => each.Bytes)];
        Assert.AreEqual(Math.Max(rate / 4.0, RateLimit.MinBurstBytes), before.Sum(), limit.TurnBytes * (count + 1), "the burst");

        await RunAsync(TimeSpan.FromSeconds(10), all);

        long[] crossed = [.. all.Select((each, i) => each.Bytes - before[i])];
        Assert.AreEqual(10.0 * rate, crossed.Sum(), (0.005 * 10 * rate) + (2 * limit.TurnBytes));
        foreach (long bytes in crossed)
            Assert.AreEqual(10.0 * rate / count, bytes, (0.1 * rate / count) + (2 * limit.TurnBytes), string.Join(' ', crossed));
        await StopAsync(all);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_pause_saves_up_a_burst_and_no_more()
    {
        using RateLimit limit = new(1_000_000, _time);
        Traffic[] all = [new(limit, sends: true, Token)];
        await Eventually.TrueAsync(() => all[0].IsHeldBack, Token);
        await RunAsync(TimeSpan.FromSeconds(1), all);
        await all[0].PauseAsync(_time);
        _time.Advance(TimeSpan.FromSeconds(60));
        long before = all[0].Bytes;
        all[0].Resume();
        await Eventually.TrueAsync(() => all[0].IsHeldBack, Token);
        Assert.AreEqual(250_000, all[0].Bytes - before, 2 * limit.TurnBytes);
        await StopAsync(all);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task What_a_silent_connection_has_to_say_does_not_queue_behind_the_others()
    {
        using RateLimit limit = new(RateLimit.MinBurstBytes, _time);
        Traffic[] all = [.. Enumerable.Range(0, 20).Select(_ => new Traffic(limit, sends: true, Token))];
        await Eventually.TrueAsync(() => all.All(static each => each.IsHeldBack), Token);
        (LimitedConnection near, MemoryConnection far) = NewPair(limit, null);
        byte[] word = new byte[100];
        await near.SendAsync(word, Token);
        Assert.AreEqual(word.Length, await far.ReceiveAsync(new byte[1000], Token), "the clock stands still");

        // the next one waits for its turn behind one of each
        Task second = near.SendAsync(new byte[limit.TurnBytes], Token).AsTask();
        await RunAsync(TimeSpan.FromSeconds(0.2), all);
        Assert.IsFalse(second.IsCompleted);
        await RunAsync(TimeSpan.FromSeconds(0.2), all);
        await second.WaitAsync(Patience, Token);
        await StopAsync(all);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Who_waits_can_be_cancelled_without_loss_and_a_closed_connection_waits_no_more()
    {
        using RateLimit limit = new(16 * 1024, _time);
        Traffic[] all = [new(limit, sends: false, Token)];
        await Eventually.TrueAsync(() => all[0].IsHeldBack, Token);
        (LimitedConnection near, MemoryConnection far) = NewPair(null, limit);
        await far.SendAsync(new byte[5000], Token);
        byte[] buffer = new byte[10_000];
        int received = await near.ReceiveAsync(buffer, Token);
        Assert.AreEqual(limit.TurnBytes, received);
        using (CancellationTokenSource cancelled = new())
        {
            ValueTask<int> waits = near.ReceiveAsync(buffer, cancelled.Token);
            Assert.IsTrue(near.IsReceiveHeldBack);
            await cancelled.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await waits);
            Assert.IsFalse(near.IsReceiveHeldBack);
        }

        Task<int> next = near.ReceiveAsync(buffer, Token).AsTask();
        for (int i = 0; i < 200 && !next.IsCompleted; i++)
            await RunAsync(TimeSpan.FromSeconds(0.05), all);
        Assert.AreEqual(limit.TurnBytes, await next);

        Task<int> last = near.ReceiveAsync(buffer, Token).AsTask();
        Assert.IsTrue(near.IsReceiveHeldBack);
        near.Abort();
        StringAssert.Contains((await Assert.ThrowsExactlyAsync<IOException>(() => last)).Message, "connection closed");
        await Assert.ThrowsExactlyAsync<IOException>(async () => await near.ReceiveAsync(buffer, Token));
        await near.DisposeAsync();

        await RunAsync(TimeSpan.FromSeconds(1), all); // the queue goes on without it
        await StopAsync(all);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Disposing_ends_a_send_that_waits()
    {
        using RateLimit limit = new(16 * 1024, _time);
        (LimitedConnection near, MemoryConnection _) = NewPair(limit, null);
        Task send = near.SendAsync(new byte[200_000], Token).AsTask();
        await Eventually.TrueAsync(() => near.IsSendHeldBack, Token);
        await near.DisposeAsync();
        await Assert.ThrowsExactlyAsync<IOException>(() => send);
        Assert.IsFalse(near.IsSendHeldBack);
    }

    [TestMethod]
    [DataRow("/ip4/127.0.0.1/tcp/4001", false)]
    [DataRow("/ip6/::1/tcp/4001", false)]
    [DataRow("/ip4/192.168.1.77/tcp/4001", false)]
    [DataRow("/ip6/2001:db8:1::9/tcp/4001", false)]
    [DataRow("/ip4/192.168.2.77/tcp/4001", true)]
    [DataRow("/ip4/203.0.113.9/tcp/4001", true)]
    [DataRow("/ip6/2001:db8:2::9/tcp/4001", true)]
    public void Peers_on_this_machine_and_its_networks_are_exempt(string remote, bool isLimited)
    {
        NearNetworks near = new(static () => [IPNetwork.Parse("192.168.1.0/24"), IPNetwork.Parse("2001:db8:1::/64")], _time);
        (MemoryConnection connection, _) = MemoryConnection.NewPair(Multiaddress.Parse("/ip4/192.168.1.1/tcp/4001"), Multiaddress.Parse(remote), 1000, TimeSpan.Zero, _time);
        foreach ((long? up, long? down) in ((long?, long?)[])[(100_000, null), (null, 100_000), (100_000, 100_000)])
        {
            ConnectionOptions options = new() { UploadBytesPerSecond = up, DownloadBytesPerSecond = down };
            using BandwidthLimits limits = new(options, near, _time);
            Assert.AreEqual(isLimited, limits.Apply(connection) is LimitedConnection);
            Assert.AreEqual(isLimited, !ReferenceEquals(options.Muxer, limits.MuxerFor(connection.RemoteAddress)));
        }

        using BandwidthLimits none = new(new ConnectionOptions(), near, _time);
        Assert.AreSame<ITransportConnection>(connection, none.Apply(connection), "no limit, no wrapper");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task The_rate_holds_over_sockets_and_a_real_clock(bool sends)
    {
        const int Rate = 4_000_000, Bytes = 8_000_000;
        using RateLimit limit = new(Rate, TimeProvider.System);
        TcpTransport transport = new(TimeProvider.System, NullLogger.Instance);
        await using ITransportListener listener = await transport.ListenAsync(Multiaddress.Parse("/ip4/127.0.0.1/tcp/0"), Token);
        await using ITransportConnection dialed = await transport.DialAsync(listener.BoundAddress, Token);
        await using ITransportConnection accepted = (await listener.AcceptAsync(Token))!;
        LimitedConnection near = new(dialed, sends ? limit : null, sends ? null : limit);
        long start = TimeProvider.System.GetTimestamp();
        Task sending = Task.Run(async () => await (sends ? near : accepted).SendAsync(new byte[Bytes], Token), Token);
        byte[] buffer = new byte[512 * 1024];
        for (int left = Bytes; left > 0;)
            left -= await (sends ? accepted : near).ReceiveAsync(buffer, Token);
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        await sending;
        TestContext.WriteLine($"{(Bytes - (Rate / 4)) / seconds / Rate:P1} of the rate");
        Assert.IsGreaterThan(0.97 * (Bytes - (Rate / 4.0)) / Rate, seconds); // how much later depends on who else uses the machine
    }

    private static (LimitedConnection Near, MemoryConnection Far) NewPair(RateLimit? up, RateLimit? down)
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.NewPair();
        return (new LimitedConnection(near, up, down), far);
    }

    private async Task RunAsync(TimeSpan time, Traffic[] all)
    {
        TimeSpan step = TimeSpan.FromMilliseconds(5);
        for (TimeSpan ran = TimeSpan.Zero; ran < time; ran += step)
        {
            _time.Advance(step);
            SpinWait wait = default;
            while (!all.All(static each => each.IsHeldBack))
            {
                Token.ThrowIfCancellationRequested();
                wait.SpinOnce(sleep1Threshold: 100);
            }
        }

        await Task.Delay(20, Token); // what crossed last is counted at the other end
    }

    private static async Task StopAsync(Traffic[] all)
    {
        foreach (Traffic each in all)
            await each.DisposeAsync();
    }

    /// <summary>A connection over which one side sends as fast as it can, and the other reads.</summary>
    private sealed class Traffic : IAsyncDisposable
    {
        private readonly LimitedConnection _near;
        private readonly MemoryConnection _far;
        private readonly bool _sends;
        private readonly CancellationToken _token;
        private readonly Task _reading;
        private Task _sending;
        private long _bytes;
        private volatile bool _isPaused;

        public Traffic(RateLimit limit, bool sends, CancellationToken token)
        {
            (_near, _far) = NewPair(sends ? limit : null, sends ? null : limit);
            (_sends, _token) = (sends, token);
            _reading = Task.Run(ReadAsync, token);
            _sending = Task.Run(SendAsync, token);
        }

        public long Bytes => Volatile.Read(ref _bytes);

        public bool IsHeldBack => _sends ? _near.IsSendHeldBack : _near.IsReceiveHeldBack;

        public async Task PauseAsync(VirtualTime time)
        {
            _isPaused = true;
            while (!_sending.IsCompleted)
            {
                time.Advance(TimeSpan.FromMilliseconds(5));
                await Task.Delay(1, _token);
            }
        }

        public void Resume()
        {
            _isPaused = false;
            _sending = Task.Run(SendAsync, _token);
        }

        public async ValueTask DisposeAsync()
        {
            _near.Abort();
            _far.Abort();
            await _near.DisposeAsync();
            await _far.DisposeAsync();
            await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task SendAsync()
        {
            ITransportConnection from = _sends ? _near : _far;
            byte[] some = new byte[100_000];
            while (!_isPaused)
                await from.SendAsync(some, _token);
        }

        private async Task ReadAsync()
        {
            ITransportConnection to = _sends ? _far : _near;
            byte[] buffer = new byte[512 * 1024];
            for (int count; (count = await to.ReceiveAsync(buffer, _token)) > 0;)
                Interlocked.Add(ref _bytes, count);
        }
    }
}
