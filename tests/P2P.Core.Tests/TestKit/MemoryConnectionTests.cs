using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.TestKit;

/// <summary>The memory transport behaves as TCP does where the library can tell.</summary>
[TestClass]
public sealed class MemoryConnectionTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Token => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Bytes_arrive_in_order_and_a_full_buffer_makes_the_sender_wait()
    {
        (MemoryConnection a, MemoryConnection b) = MemoryConnection.NewPair();
        byte[] sent = new byte[1_000_000];
        new SeededRandom(5).NextBytes(sent);
        Task sending = Task.Run(async () =>
        {
            await a.SendAsync(sent, Token);
            await a.DisposeAsync();
        });
        await Task.Delay(50, Token);
        Assert.IsFalse(sending.IsCompleted);
        using MemoryStream received = new();
        byte[] buffer = new byte[7777];
        for (int count; (count = await b.ReceiveAsync(buffer, Token)) > 0;)
        {
            await received.WriteAsync(buffer.AsMemory(0, count), Token);
        }

        await sending;
        CollectionAssert.AreEqual(sent, received.ToArray());
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_abort_fails_both_ends_at_once()
    {
        (MemoryConnection a, MemoryConnection b) = MemoryConnection.NewPair();
        Task<int> reading = b.ReceiveAsync(new byte[10], Token).AsTask();
        Task<int> own = a.ReceiveAsync(new byte[10], Token).AsTask();
        a.Abort();
        Assert.AreEqual("connection reset by peer", (await Assert.ThrowsAsync<IOException>(() => reading)).Message);
        Assert.AreEqual("connection closed", (await Assert.ThrowsAsync<IOException>(() => own)).Message);
        await Assert.ThrowsAsync<IOException>(async () => await b.SendAsync(new byte[1], Token));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Bytes_take_the_latency_and_nobody_listening_is_refused()
    {
        VirtualTime time = new();
        MemoryNetwork network = new(time);
        MemoryTransport a = network.NewHost(), b = network.NewHost();
        IOException refused = await Assert.ThrowsAsync<IOException>(async () => await a.DialAsync(b.ListenAddress(5), Token));
        Assert.AreEqual("connection refused", refused.Message);
        await using ITransportListener listener = await b.ListenAsync(b.ListenAddress(5), Token);
        await using ITransportConnection near = await a.DialAsync(b.ListenAddress(5), Token);
        await using ITransportConnection? far = await listener.AcceptAsync(Token);
        Assert.AreEqual(near.LocalAddress, far!.RemoteAddress);
        await listener.DisposeAsync();
        Assert.IsNull(await listener.AcceptAsync(Token));

        (MemoryConnection slowNear, MemoryConnection slowFar) = MemoryConnection.NewPair(near.LocalAddress, near.RemoteAddress, 1000, TimeSpan.FromSeconds(1), time);
        await slowNear.SendAsync(new byte[] { 7 }, Token);
        Task<int> reading = slowFar.ReceiveAsync(new byte[10], Token).AsTask();
        time.Advance(TimeSpan.FromSeconds(0.9));
        await Task.Delay(20, Token);
        Assert.IsFalse(reading.IsCompleted);
        await time.AdvanceUntilAsync(() => reading.IsCompleted, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(1));
        Assert.AreEqual(1, await reading);
    }
}
