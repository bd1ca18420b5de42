using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Transport;

namespace P2P.Core.Tests.Transport;

[TestClass]
public sealed class TcpTransportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TcpTransport SharedTransport = new(TimeProvider.System, NullLogger.Instance);

    [TestMethod]
    [DataRow("/ip4/127.0.0.1/tcp/0")]
    [DataRow("/ip6/::1/tcp/0")]
    public async Task Bytes_pass_both_ways_and_the_end_is_seen(string address)
    {
        await using ITransportListener listener = await ListenAsync(address);
        (ITransportConnection dialed, ITransportConnection accepted) = await ConnectAsync(listener);
        await using (dialed)
        await using (accepted)
        {
            Assert.AreEqual(listener.BoundAddress, dialed.RemoteAddress);
            Assert.AreEqual(dialed.LocalAddress, accepted.RemoteAddress);
            Assert.AreEqual(accepted.LocalAddress, dialed.RemoteAddress);
            var sent = new byte[3_000_000];
            new Random(1).NextBytes(sent);
            foreach ((ITransportConnection from, ITransportConnection to) in new[] { (dialed, accepted), (accepted, dialed) })
            {
                Task sending = from.SendAsync(sent, CancellationToken.None).AsTask();
                var got = new byte[sent.Length];
                for (int at = 0; at < got.Length;)
                    at += await to.ReceiveAsync(got.AsMemory(at), CancellationToken.None).AsTask().WaitAsync(Patience);
                await sending;
                CollectionAssert.AreEqual(sent, got);
            }
            await dialed.DisposeAsync();
            Assert.AreEqual(0, await accepted.ReceiveAsync(new byte[1], CancellationToken.None).AsTask().WaitAsync(Patience));
        }
    }

    [TestMethod]
    public async Task Both_families_listen_on_one_port()
    {
        await using ITransportListener six = await ListenAsync("/ip6/::/tcp/0");
        Assert.IsTrue(six.BoundAddress.TryGetEndPoint(out IPEndPoint? endPoint));
        await using ITransportListener four = await ListenAsync($"/ip4/0.0.0.0/tcp/{endPoint!.Port}");
        await using ITransportConnection dialed = await SharedTransport.DialAsync(Multiaddress.Parse($"/ip4/127.0.0.1/tcp/{endPoint.Port}"), CancellationToken.None);
        await using ITransportConnection? accepted = await four.AcceptAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        Assert.AreEqual(dialed.LocalAddress, accepted!.RemoteAddress);
    }

    [TestMethod]
    public async Task A_port_where_nobody_listens_refuses_in_words()
    {
        int port = FreePort();
        IOException failure = await Assert.ThrowsExactlyAsync<IOException>(
            () => SharedTransport.DialAsync(Multiaddress.Parse($"/ip4/127.0.0.1/tcp/{port}"), CancellationToken.None).AsTask().WaitAsync(Patience));
        Assert.AreEqual("connection refused", failure.Message);
    }

    [TestMethod]
    public async Task A_port_in_use_cannot_be_listened_on_and_one_just_left_can()
    {
        ITransportListener first = await ListenAsync("/ip4/127.0.0.1/tcp/0");
        IOException failure = await Assert.ThrowsExactlyAsync<IOException>(() => SharedTransport.ListenAsync(first.BoundAddress, CancellationToken.None).AsTask());
        Assert.AreEqual("address already in use", failure.Message);
        (ITransportConnection dialed, ITransportConnection accepted) = await ConnectAsync(first);
        await accepted.DisposeAsync(); // the listening side closes first: its port waits in TIME_WAIT
        await dialed.DisposeAsync();
        await first.DisposeAsync();
        await using ITransportListener second = await SharedTransport.ListenAsync(first.BoundAddress, CancellationToken.None);
        Assert.AreEqual(first.BoundAddress, second.BoundAddress);
    }

    [TestMethod]
    public async Task Dialing_can_be_cancelled()
    {
        // A backlog that is full does not answer: the dialer waits.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var address = Multiaddress.FromEndPoint((IPEndPoint)full.LocalEndPoint!);
        using var cancel = new CancellationTokenSource();
        Task<ITransportConnection>[] dials = [.. Enumerable.Range(0, 8).Select(_ => SharedTransport.DialAsync(address, cancel.Token).AsTask())];
        await Task.Delay(100);
        await cancel.CancelAsync();
        int cancelled = 0;
        foreach (Task<ITransportConnection> dial in dials)
        {
            try
            {
                await (await dial.WaitAsync(Patience)).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }
        Assert.IsTrue(cancelled > 0);
    }

    [TestMethod]
    public async Task Disposing_the_listener_ends_a_waiting_accept()
    {
        ITransportListener listener = await ListenAsync("/ip4/127.0.0.1/tcp/0");
        Task<ITransportConnection?> accepting = listener.AcceptAsync(CancellationToken.None).AsTask();
        await listener.DisposeAsync();
        Assert.IsNull(await accepting.WaitAsync(Patience));
        Assert.IsNull(await listener.AcceptAsync(CancellationToken.None));
    }

    [TestMethod]
    public async Task An_aborted_connection_fails_what_waits_on_both_ends()
    {
        await using ITransportListener listener = await ListenAsync("/ip4/127.0.0.1/tcp/0");
        (ITransportConnection dialed, ITransportConnection accepted) = await ConnectAsync(listener);
        Task<int> own = dialed.ReceiveAsync(new byte[1], CancellationToken.None).AsTask();
        Task<int> theirs = accepted.ReceiveAsync(new byte[1], CancellationToken.None).AsTask();
        dialed.Abort();
        await Assert.ThrowsExactlyAsync<IOException>(() => own.WaitAsync(Patience));
        await Assert.ThrowsExactlyAsync<IOException>(() => dialed.SendAsync(new byte[1], CancellationToken.None).AsTask());
        IOException failure = await Assert.ThrowsExactlyAsync<IOException>(() => theirs.WaitAsync(Patience));
        Assert.AreEqual("connection reset by peer", failure.Message);
        await dialed.DisposeAsync();
        await accepted.DisposeAsync();
    }

    [TestMethod]
    [DataRow("/ip4/127.0.0.1/tcp/4001", true, true)]
    [DataRow("/ip6/::1/tcp/4001", true, true)]
    [DataRow("/ip4/0.0.0.0/tcp/4001", false, true)]
    [DataRow("/ip4/127.0.0.1/tcp/0", false, true)]
    [DataRow("/ip4/127.0.0.1/udp/4001", false, false)]
    [DataRow("/dns4/localhost/tcp/4001", false, false)]
    public void It_knows_what_it_can_dial_and_listen_on(string address, bool canDial, bool canListen)
    {
        Assert.AreEqual(canDial, SharedTransport.CanDial(Multiaddress.Parse(address)));
        Assert.AreEqual(canListen, SharedTransport.CanListen(Multiaddress.Parse(address)));
    }

    internal static ValueTask<ITransportListener> ListenAsync(string address) => SharedTransport.ListenAsync(Multiaddress.Parse(address), CancellationToken.None);

    internal static async Task<(ITransportConnection Dialed, ITransportConnection Accepted)> ConnectAsync(ITransportListener listener)
    {
        Task<ITransportConnection?> accepting = listener.AcceptAsync(CancellationToken.None).AsTask();
        ITransportConnection dialed = await SharedTransport.DialAsync(listener.BoundAddress, CancellationToken.None);
        return (dialed, (await accepting.WaitAsync(Patience))!);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
