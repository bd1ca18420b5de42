using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Blocks;
using P2P.Core.Exchange;
using P2P.Core.Muxer;
using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

/// <summary>Peers joined by pipes: whole bitswap nodes, and raw peers that say whatever a test wants.</summary>
internal sealed class PipeNetwork : IAsyncDisposable
{
    private readonly ConcurrentDictionary<PeerId, PipeHost> _hosts = [];
    private readonly ConcurrentDictionary<(PeerId, PeerId), byte> _links = [];

    public BitswapNode AddNode(ExchangeSettings? settings = null, TimeProvider? time = null)
    {
        var host = new PipeHost(this);
        var node = new BitswapNode(host, settings ?? ExchangeSettings.Default, time ?? TimeProvider.System);
        host.Receive = node.Bitswap.ReceiveAsync;
        host.Connected = node.Bitswap.OnConnected;
        host.Disconnected = node.Bitswap.OnDisconnected;
        _hosts.TryAdd(host.Id, host);
        return node;
    }

    /// <summary>A peer whose every stream is handled by the test.</summary>
    public PipeHost AddRaw(Func<PipeHost, IExchangeStream, CancellationToken, Task> receive)
    {
        var host = new PipeHost(this);
        host.Receive = (stream, cancellationToken) => receive(host, stream, cancellationToken);
        _hosts.TryAdd(host.Id, host);
        return host;
    }

    public void Connect(PeerId a, PeerId b)
    {
        _links.TryAdd((a, b), 0);
        _links.TryAdd((b, a), 0);
        _hosts[a].Connected?.Invoke(b);
        _hosts[b].Connected?.Invoke(a);
    }

    public void Disconnect(PeerId a, PeerId b)
    {
        Sever(a, b);
        TellDisconnected(a, b);
    }

    /// <summary>The connection breaks, and nobody is told yet.</summary>
    public void Sever(PeerId a, PeerId b)
    {
        _links.TryRemove((a, b), out _);
        _links.TryRemove((b, a), out _);
        foreach (PipeHost host in new[] { _hosts[a], _hosts[b] })
            host.Break(host.Id == a ? b : a);
    }

    public void TellDisconnected(PeerId a, PeerId b)
    {
        _hosts[a].Disconnected?.Invoke(b);
        _hosts[b].Disconnected?.Invoke(a);
    }

    public bool AreConnected(PeerId a, PeerId b) => _links.ContainsKey((a, b));

    public IReadOnlyList<PeerId> PeersOf(PeerId peer) => [.. _links.Keys.Where(link => link.Item1 == peer).Select(static link => link.Item2)];

    public PipeStream Open(PipeHost from, PeerId to)
    {
        if (!AreConnected(from.Id, to))
            throw new IOException("not connected");
        // as much as a stream buffers and a window holds
        var options = new PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, useSynchronizationContext: false);
        Pipe forth = new(options), back = new(options);
        PipeHost target = _hosts[to];
        var near = new PipeStream(to, back, forth);
        var far = new PipeStream(from.Id, forth, back);
        from.Track(near);
        target.Serve(far);
        from.OpenedTo.AddOrUpdate(to, 1, static (_, count) => count + 1);
        return near;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PipeHost host in _hosts.Values)
            await host.DisposeAsync();
    }
}

internal sealed class PipeHost(PipeNetwork network) : IExchangeNetwork, IAsyncDisposable
{
    private readonly ConcurrentDictionary<PipeStream, byte> _streams = [];
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly CancellationTokenSource _stop = new();
    private int _disposed;

    public PeerId Id { get; } = NewId();

    public Func<IExchangeStream, CancellationToken, Task> Receive { get; set; } = static (_, _) => Task.CompletedTask;

    public Action<PeerId>? Connected { get; set; }

    public Action<PeerId>? Disconnected { get; set; }

    /// <summary>Streams opened so far, by peer.</summary>
    public ConcurrentDictionary<PeerId, int> OpenedTo { get; } = [];

    /// <summary>Not told to the exchange: candidates are the business of their own test.</summary>
    public bool HidesPeers { get; set; } = true;

    public IReadOnlyList<PeerId> ConnectedPeers => HidesPeers ? [] : network.PeersOf(Id);

    public PipeNetwork Network => network;

    public ValueTask<IExchangeStream> OpenStreamAsync(PeerId peer, CancellationToken cancellationToken) => new(network.Open(this, peer));

    public bool IsConnected(PeerId peer) => network.AreConnected(Id, peer);

    public TimeSpan? RoundTripTime(PeerId peer) => TimeSpan.FromMilliseconds(1);

    public void Track(PipeStream stream) => _streams.TryAdd(stream, 0);

    public void Serve(PipeStream stream)
    {
        Track(stream);
        _serving.Add(Task.Run(async () =>
        {
            try
            {
                await Receive(stream, _stop.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException)
            {
                stream.Reset();
            }

            await stream.DisposeAsync();
        }));
    }

    public void Break(PeerId peer)
    {
        foreach (PipeStream stream in _streams.Keys.Where(each => each.Peer == peer))
            stream.Reset();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        foreach (PipeStream stream in _streams.Keys)
            stream.Reset();
        await Task.WhenAll(_serving).WaitAsync(TimeSpan.FromSeconds(20));
        _stop.Dispose();
    }

    private static PeerId NewId()
    {
        byte[] id = [0x12, 32, .. RandomNumberGenerator.GetBytes(32)];
        return PeerId.TryFromBytes(id, out PeerId peer) ? peer : throw new InvalidOperationException();
    }
}

internal sealed class PipeStream(PeerId peer, Pipe incoming, Pipe outgoing) : IExchangeStream
{
    private static readonly StreamResetException Broken = new("reset");

    private int _closed;

    public PeerId Peer => peer;

    public PipeReader Input => incoming.Reader;

    public PipeWriter Output => outgoing.Writer;

    public int Granted { get; private set; }

    public void CloseConnection(string reason) => Reset();

    public void Reset()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        incoming.Writer.Complete(Broken);
        outgoing.Writer.Complete(Broken);
        incoming.Reader.CancelPendingRead();
    }

    public void GrantReceiveWindow(int bytes) => Granted = Math.Max(Granted, bytes);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            await outgoing.Writer.CompleteAsync();
            await incoming.Reader.CompleteAsync();
        }
    }
}

/// <summary>A node that has only the exchange: its blocks lie in a dictionary.</summary>
internal sealed class BitswapNode : IExchangeBlocks, IAsyncDisposable
{
    private readonly ConcurrentDictionary<MultihashKey, byte[]> _blocks = [];

    public BitswapNode(PipeHost host, ExchangeSettings settings, TimeProvider time)
    {
        Host = host;
        Bitswap = new Bitswap(host, this, Buffers, settings, time, new SeededRandom(1), NullLoggerFactory.Instance);
    }

    public PipeHost Host { get; }

    public PeerId Id => Host.Id;

    public BlockBufferPool Buffers { get; } = new();

    public Bitswap Bitswap { get; }

    /// <summary>Whom the blocks are for; null: everyone.</summary>
    public Func<Cid, PeerId, bool>? Policy { get; set; }

    public ConcurrentQueue<(Cid Cid, bool Verified)> Opened { get; } = [];

    public Cid Add(byte[] data)
    {
        Cid cid = Cid.OfRaw(data);
        _blocks[cid.Key] = data;
        return cid;
    }

    /// <summary>The bytes change without anybody noticing.</summary>
    public void Corrupt(Cid cid, byte[] data) => _blocks[cid.Key] = data;

    public BlockAvailability Look(in Cid cid, PeerId asker) => _blocks.TryGetValue(cid.Key, out byte[]? data)
        ? new BlockAvailability(true, Policy?.Invoke(cid, asker) ?? true, data.Length)
        : default;

    public bool Has(in Cid cid) => _blocks.ContainsKey(cid.Key);

    public IExchangeBlock? Open(in Cid cid, bool verify)
    {
        Opened.Enqueue((cid, verify));
        if (!_blocks.TryGetValue(cid.Key, out byte[]? data) || (verify && Cid.OfRaw(data).Key != cid.Key))
            return null;
        return new Block(data);
    }

    public async ValueTask DisposeAsync()
    {
        await Bitswap.DisposeAsync();
        await Host.DisposeAsync();
    }

    private sealed class Block(byte[] data) : IExchangeBlock
    {
        public int Length => data.Length;

        public int Read(Span<byte> destination, int offset)
        {
            int count = Math.Min(destination.Length, data.Length - offset);
            data.AsSpan(offset, count).CopyTo(destination);
            return count;
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>Collects what a session delivers.</summary>
internal sealed class CollectingSink : IBlockSink
{
    private readonly ConcurrentDictionary<long, byte[]> _blocks = [];
    private readonly ConcurrentDictionary<long, Exception> _failures = [];
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Called on the worker with the number of each call.</summary>
    public Action<int>? OnCall { get; init; }

    public IReadOnlyDictionary<long, byte[]> Blocks => _blocks;

    public IReadOnlyDictionary<long, Exception> Failures => _failures;

    public void OnBlock(in Cid cid, long tag, ReadOnlySpan<byte> data)
    {
        Assert.IsTrue(BlockVerification.Verify(cid, data));
        Assert.IsTrue(_blocks.TryAdd(tag, data.ToArray()), "called once for each request");
        int call = Interlocked.Increment(ref _calls);
        OnCall?.Invoke(call);
    }

    public void OnFailed(in Cid cid, long tag, Exception error)
    {
        Assert.IsTrue(_failures.TryAdd(tag, error), "called once for each request");
        int call = Interlocked.Increment(ref _calls);
        OnCall?.Invoke(call);
    }

    public async Task WaitAsync(int calls)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Calls < calls)
            await Task.Delay(2, limit.Token);
    }
}

/// <summary>What raw peers need to speak bitswap, well or badly.</summary>
internal static class RawBitswap
{
    /// <summary>Tells of each want that arrives on a stream, until it ends.</summary>
    public static async Task ReadWantsAsync(IExchangeStream stream, Func<WantEntry, Task> onWant, CancellationToken cancellationToken)
    {
        using var reader = new BitswapReader();
        while (true)
        {
            ReadResult read = await stream.Input.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> rest = read.Buffer;
            List<WantEntry> wants = [];
            while (reader.TryRead(ref rest, out BitswapPart part) == OperationStatus.Done)
            {
                if (part.Kind == BitswapPartKind.BlockStart)
                    reader.Accept(null);
                if (part.Kind == BitswapPartKind.Want)
                    wants.Add(part.Want);
            }

            stream.Input.AdvanceTo(rest.Start, rest.End);
            foreach (WantEntry want in wants)
                await onWant(want);
            if (read.IsCompleted)
                return;
        }
    }

    /// <summary>Sends one message on a stream of its own, as others do.</summary>
    public static async Task SendAsync(PipeHost host, PeerId to, (Cid Cid, bool Have)[] presences, (Cid Cid, byte[] Data)[] blocks, CancellationToken cancellationToken)
    {
        await using PipeStream stream = host.Network.Open(host, to);
        BitswapCodecTests.WriteResponse(stream.Output, presences, blocks);
        await stream.Output.FlushAsync(cancellationToken);
    }
}
