using System.IO.Pipelines;
using System.Text;
using P2P.Core.Connections;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

/// <summary>Opening, serving and closing streams.</summary>
[TestClass]
public sealed class StreamTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_unknown_protocol_shows_at_the_first_read_and_the_connection_lives_on()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);
        await using PeerStream stream = await connection.OpenStreamAsync("/test/unknown", Token);
        await stream.Output.WriteAsync("hello"u8.ToArray(), Token);
        await Assert.ThrowsAsync<ProtocolNotSupportedException>(async () => await stream.Input.ReadAsync(Token));
        await Assert.ThrowsAsync<ProtocolNotSupportedException>(async () => await stream.Input.ReadAsync(Token));
        await TestPeer.CheckEchoAsync(connection, 10, Token);
    }

    // Goal: a read that is canceled before the peer has answered leaves the stream usable. Method: cancel, advance as every reader does, then read the answer.
    [TestMethod]
    public async Task A_read_canceled_before_the_answer_can_be_advanced_and_read_again()
    {
        var pipe = new Pipe();
        var reader = new NegotiatingReader(pipe.Reader, MultistreamNegotiation.Dial(["/x"]), TimeSpan.FromSeconds(30), TimeProvider.System);
        ValueTask<ReadResult> waiting = reader.ReadAsync(Token);
        reader.CancelPendingRead();
        ReadResult canceled = await waiting;
        Assert.IsTrue(canceled.IsCanceled);
        reader.AdvanceTo(canceled.Buffer.End);

        reader.CancelPendingRead();
        Assert.IsTrue(reader.TryRead(out canceled));
        Assert.IsTrue(canceled.IsCanceled);
        reader.AdvanceTo(canceled.Buffer.Start, canceled.Buffer.End);

        await pipe.Writer.WriteAsync("\u0013/multistream/1.0.0\n\u0003/x\nhello"u8.ToArray(), Token);
        ReadResult read = await reader.ReadAsync(Token);
        Assert.AreEqual("hello", Encoding.UTF8.GetString(read.Buffer));
        reader.AdvanceTo(read.Buffer.End);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task The_first_of_several_protocols_that_the_peer_speaks_is_chosen()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);
        await using PeerStream stream = await connection.OpenStreamAsync(["/test/echo/9", TestPeer.Echo, "/test/other"], Token);
        Assert.AreEqual(TestPeer.Echo, stream.Protocol);
        await Assert.ThrowsAsync<ProtocolNotSupportedException>(async () => await connection.OpenStreamAsync(["/x/1", "/x/2"], Token));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Known_protocols_make_the_choice_without_asking()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        a.Identify.Start();
        b.Identify.Start();
        Connection connection = await a.ConnectAsync(b, Token);
        await Eventually.TrueAsync(() => connection.Remote is not null, Token);
        long before = connection.BytesSent;
        await using PeerStream stream = await connection.OpenStreamAsync(["/test/echo/9", TestPeer.Echo], Token);
        Assert.AreEqual(TestPeer.Echo, stream.Protocol);
        await stream.Output.WriteAsync("x"u8.ToArray(), Token);
        ReadResult read = await stream.Input.ReadAtLeastAsync(1, Token);
        Assert.AreEqual((byte)'x', read.Buffer.FirstSpan[0]);
        stream.Input.AdvanceTo(read.Buffer.End);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_message_written_and_closed_at_once_arrives()
    {
        // lazy: proposal, message and end leave before the peer has answered anything
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        TaskCompletionSource<string> received = new();
        b.Pool.Handle("/test/note", async (stream, token) =>
        {
            using MemoryStream all = new();
            await stream.Input.CopyToAsync(all, token);
            await stream.Output.WriteAsync("unread answer"u8.ToArray(), token);
            received.TrySetResult(Encoding.UTF8.GetString(all.ToArray()));
        });
        Connection connection = await a.ConnectAsync(b, Token);
        await using (PeerStream stream = await connection.OpenStreamAsync("/test/note", Token))
        {
            await stream.Output.WriteAsync("a note"u8.ToArray(), Token);
        }

        Assert.AreEqual("a note", await received.Task.WaitAsync(Token));
        await Eventually.TrueAsync(() => connection.StreamCount == 0, Token);
        await Eventually.TrueAsync(() => b.Pool.Connections[0].StreamCount == 0, Token);
        Assert.IsFalse(b.Log.Contains("failed"), string.Join('\n', b.Log.Lines));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Streams_beyond_a_peers_share_are_reset()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        b.Pool.Handle("/test/two", TestPeer.EchoAsync, maxInboundPerPeer: 2);
        Connection connection = await a.ConnectAsync(b, Token);
        List<PeerStream> open = [];
        for (int i = 0; i < 2; i++)
        {
            PeerStream stream = await connection.OpenStreamAsync("/test/two", Token);
            await stream.Output.WriteAsync("x"u8.ToArray(), Token);
            await ReadByteAsync(stream);
            open.Add(stream);
        }

        await using (PeerStream third = await connection.OpenStreamAsync("/test/two", Token))
        {
            await third.Output.WriteAsync("x"u8.ToArray(), Token);
            await Assert.ThrowsAsync<IOException>(() => ReadByteAsync(third));
        }

        await open[0].DisposeAsync();
        await Eventually.TrueAsync(() => b.Pool.Connections[0].StreamCount == 1, Token);
        await using PeerStream again = await connection.OpenStreamAsync("/test/two", Token);
        await again.Output.WriteAsync("x"u8.ToArray(), Token);
        await ReadByteAsync(again);
        await open[1].DisposeAsync();
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_failing_handler_resets_its_stream_only_and_its_failure_is_logged()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        b.Pool.Handle("/test/bug", (_, _) => throw new InvalidOperationException("a bug"));
        b.Pool.Handle("/test/fault", (_, _) => throw new PeerProtocolException("nonsense"));
        Connection connection = await a.ConnectAsync(b, Token);
        foreach (string protocol in new[] { "/test/bug", "/test/fault" })
        {
            await using PeerStream stream = await connection.OpenStreamAsync(protocol, Token);
            await stream.Output.WriteAsync("x"u8.ToArray(), Token);
            await Assert.ThrowsAsync<IOException>(() => ReadByteAsync(stream));
        }

        await TestPeer.CheckEchoAsync(connection, 10, Token);
        Assert.Contains("a bug", Assert.ContainsSingle(b.Log.Problems));
        Assert.IsTrue(b.Log.Contains("nonsense"));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_peer_that_proposes_nothing_loses_its_stream_after_the_deadline()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        await using TestPeer a = TestPeer.InMemory(network, time: time);
        await using TestPeer b = await TestPeer.InMemory(network, time: time).ListenAsync(Token);
        Connection connection = await a.ConnectAsync(b, Token);
        PeerStream silent = await connection.OpenStreamAsync(TestPeer.Echo, Token);
        await Eventually.TrueAsync(() => b.Pool.TryGet(a.Id, out Connection? back) && back.StreamCount == 1, Token);
        await time.AdvanceUntilAsync(() => b.Pool.Connections[0].StreamCount == 0, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
        Assert.IsTrue(b.Log.Contains("agreed on no protocol"));
        Assert.IsTrue(connection.IsOpen);
        silent.Reset();
        await silent.DisposeAsync();
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_handlers_token_ends_with_the_connection()
    {
        MemoryNetwork network = new();
        await using TestPeer a = TestPeer.InMemory(network);
        await using TestPeer b = await TestPeer.InMemory(network).ListenAsync(Token);
        TaskCompletionSource started = new(), ended = new();
        b.Pool.Handle("/test/wait", async (_, token) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ended.SetResult();
        });
        Connection connection = await a.ConnectAsync(b, Token);
        await using PeerStream stream = await connection.OpenStreamAsync("/test/wait", Token);
        await stream.Output.FlushAsync(Token);
        await started.Task.WaitAsync(Token);
        await connection.CloseAsync("done");
        await ended.Task.WaitAsync(Token);
    }

    private async Task ReadByteAsync(PeerStream stream)
    {
        ReadResult read = await stream.Input.ReadAtLeastAsync(1, Token);
        Assert.AreEqual((byte)'x', read.Buffer.FirstSpan[0]);
        stream.Input.AdvanceTo(read.Buffer.GetPosition(1));
    }
}
