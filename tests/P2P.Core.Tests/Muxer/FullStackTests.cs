using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Identity;
using P2P.Core.Muxer;
using P2P.Core.SecureChannel;
using P2P.Core.Tests.Transport;
using P2P.Core.Transport;

namespace P2P.Core.Tests.Muxer;

/// <summary>TCP, Noise and yamux together.</summary>
[TestClass]
public sealed class FullStackTests
{
    [TestMethod]
    public async Task Sixty_four_MiB_in_eight_streams_arrive_whole_over_loopback()
    {
        const int Streams = 8;
        const long BytesEach = 8 * 1024 * 1024;
        (YamuxSession dialer, YamuxSession listener) = await ConnectAsync();
        await using (dialer)
        await using (listener)
        {
            string[] hashes = new string[Streams];
            Task[] sending = [.. Enumerable.Range(0, Streams).Select(i => Task.Run(async () =>
            {
                // Half of them in each direction.
                await using YamuxStream stream = await (i % 2 == 0 ? dialer : listener).OpenStreamAsync(CancellationToken.None);
                stream.Output.GetSpan(1)[0] = (byte)i;
                stream.Output.Advance(1);
                hashes[i] = await SessionPair.WriteRandomAsync(stream.Output, BytesEach, new Random(i));
                await stream.Output.CompleteAsync();
                await SessionPair.ReadAllAsync(stream.Input);
            }))];
            Task<(int, long, string)>[] receiving = [.. Enumerable.Range(0, Streams).Select(i => Task.Run(async () =>
            {
                await using YamuxStream stream = (await (i % 2 == 0 ? listener : dialer).AcceptStreamAsync(CancellationToken.None))!;
                if (i < 4)
                    stream.GrantReceiveWindow(4 * 1024 * 1024);
                int index = (await SessionPair.ReadAsync(stream.Input, 1))[0];
                (long count, string hash) = await SessionPair.ReadAllAsync(stream.Input);
                return (index, count, hash);
            }))];
            foreach ((int index, long count, string hash) in await Task.WhenAll(receiving).WaitAsync(TimeSpan.FromSeconds(60)))
            {
                Assert.AreEqual(BytesEach, count);
                string expected = hashes[index];
                Assert.AreEqual(expected, hash, $"stream {index}");
            }
            await Task.WhenAll(sending).WaitAsync(SessionPair.Patience);
            Assert.AreEqual(0, dialer.StreamCount + listener.StreamCount);
            await dialer.CloseAsync(CancellationToken.None).WaitAsync(SessionPair.Patience);
            Assert.AreEqual("the peer ended the session (Normal)", await listener.Completion.WaitAsync(SessionPair.Patience));
        }
    }

    [TestMethod]
    public async Task A_connection_that_breaks_fails_the_streams_on_both_sides()
    {
        (YamuxSession dialer, YamuxSession listener) = await ConnectAsync();
        await using (dialer)
        await using (listener)
        {
            YamuxStream stream = await dialer.OpenStreamAsync(CancellationToken.None);
            await stream.Output.WriteAsync(new byte[10]);
            YamuxStream accepted = (await listener.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(SessionPair.Patience))!;
            dialer.Abort("pulled the plug");
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => SessionPair.ReadAllAsync(accepted.Input));
            await Assert.ThrowsExactlyAsync<StreamResetException>(() => stream.Output.WriteAsync(new byte[1]).AsTask());
            Assert.AreEqual("pulled the plug", await dialer.Completion.WaitAsync(SessionPair.Patience));
            await listener.Completion.WaitAsync(SessionPair.Patience);
        }
    }

    private static async Task<(YamuxSession Dialer, YamuxSession Listener)> ConnectAsync()
    {
        using IdentityKey a = IdentityKey.Generate(), b = IdentityKey.Generate();
        using var dialers = new NoiseUpgrade(a, new NoiseOptions(), TimeProvider.System);
        using var listeners = new NoiseUpgrade(b, new NoiseOptions(), TimeProvider.System);
        await using ITransportListener listener = await TcpTransportTests.ListenAsync("/ip4/127.0.0.1/tcp/0");
        (ITransportConnection dialed, ITransportConnection accepted) = await TcpTransportTests.ConnectAsync(listener);
        Task<NoiseChannel> dialing = dialers.SecureAsync(dialed, true, b.PeerId, ["/yamux/1.0.0"], default, default, default, CancellationToken.None);
        Task<NoiseChannel> listening = listeners.SecureAsync(accepted, false, null, ["/yamux/1.0.0"], default, default, default, CancellationToken.None);
        var sessions = (
            new YamuxSession(await dialing, true, new YamuxOptions(), TimeProvider.System, NullLogger.Instance),
            new YamuxSession(await listening, false, new YamuxOptions(), TimeProvider.System, NullLogger.Instance));
        sessions.Item1.Start();
        sessions.Item2.Start();
        return sessions;
    }
}
