using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using P2P.Core;
using P2P.Core.Transport;

namespace P2P.Testing;

/// <summary>One end of a connection in memory. Bytes arrive after the network's latency; a full buffer makes the sender wait.</summary>
internal sealed class MemoryConnection : ITransportConnection
{
    private readonly MemoryLine _incoming;
    private readonly MemoryLine _outgoing;

    private MemoryConnection(Multiaddress local, Multiaddress remote, MemoryLine incoming, MemoryLine outgoing)
    {
        LocalAddress = local;
        RemoteAddress = remote;
        _incoming = incoming;
        _outgoing = outgoing;
    }

    public Multiaddress LocalAddress { get; }

    public Multiaddress RemoteAddress { get; }

    /// <summary>Makes a connection: the ends of the one who dials and of the one who listens.</summary>
    public static (MemoryConnection Dialer, MemoryConnection Listener) NewPair(
        Multiaddress dialer, Multiaddress listener, int bufferBytes, TimeSpan latency, TimeProvider time)
    {
        MemoryLine there = new(bufferBytes, latency, time);
        MemoryLine back = new(bufferBytes, latency, time);
        return (new MemoryConnection(dialer, listener, back, there), new MemoryConnection(listener, dialer, there, back));
    }

    /// <summary>Makes a connection without a network.</summary>
    public static (MemoryConnection Dialer, MemoryConnection Listener) NewPair() => NewPair(
        Multiaddress.Parse("/ip4/10.0.0.1/tcp/40000"), Multiaddress.Parse("/ip4/10.0.0.2/tcp/4001"), 256 * 1024, TimeSpan.Zero, TimeProvider.System);

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _incoming.ReadAsync(buffer, cancellationToken);

    public ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) => _outgoing.WriteAsync(buffer, cancellationToken);

    public void Abort()
    {
        _incoming.Break("connection closed", "connection reset by peer");
        _outgoing.Break("connection reset by peer", "connection closed");
    }

    /// <summary>As a socket that is closed: what was sent still arrives, what comes in is lost.</summary>
    public ValueTask DisposeAsync()
    {
        _outgoing.Complete();
        _incoming.Break("connection closed", "connection reset by peer");
        return ValueTask.CompletedTask;
    }
}

/// <summary>One direction: a bounded queue of bytes, each part with the time from which it can be read.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Neither has a timer or a handle, and both ends use them to the last.")]
internal sealed class MemoryLine(int bufferBytes, TimeSpan latency, TimeProvider time)
{
    /// <summary>The longest part kept as one (bytes), so that waiting senders get their turn.</summary>
    private const int MaxPartBytes = 64 * 1024;

    private readonly Channel<Part> _parts = Channel.CreateUnbounded<Part>(); // bounded by the room
    private readonly SemaphoreSlim _room = new(0);
    private readonly CancellationTokenSource _readerBroken = new();
    private readonly CancellationTokenSource _writerBroken = new();
    private readonly Lock _gate = new(); // guards the fields below
    private int _free = bufferBytes;
    private bool _isWaiting;
    private string _readerReason = "";
    private string _writerReason = "";
    private Part _current;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfBroken(_readerBroken, _readerReason);
        try
        {
            using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _readerBroken.Token);
            if (_current.Bytes.IsEmpty)
            {
                if (!await _parts.Reader.WaitToReadAsync(linked.Token).ConfigureAwait(false))
                {
                    return 0;
                }

                _parts.Reader.TryRead(out _current);
            }

            while (time.GetElapsedTime(time.GetTimestamp(), _current.ReadyAt) is { Ticks: > 0 } early)
            {
                await Task.Delay(early, time, linked.Token).ConfigureAwait(false);
            }

            int count = Math.Min(buffer.Length, _current.Bytes.Length);
            _current.Bytes[..count].CopyTo(buffer);
            _current = _current with { Bytes = _current.Bytes[count..] };
            Release(count);
            return count;
        }
        catch (OperationCanceledException error) when (_readerBroken.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException(_readerReason, error);
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ThrowIfBroken(_writerBroken, _writerReason);
        try
        {
            using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _writerBroken.Token);
            linked.Token.ThrowIfCancellationRequested();
            while (!bytes.IsEmpty)
            {
                int count = await TakeRoomAsync(Math.Min(bytes.Length, MaxPartBytes), linked.Token).ConfigureAwait(false);
                long readyAt = time.GetTimestamp() + (long)(latency.TotalSeconds * time.TimestampFrequency);
                if (!_parts.Writer.TryWrite(new Part(bytes[..count].ToArray(), readyAt)))
                {
                    throw new IOException("connection closed");
                }

                bytes = bytes[count..];
            }
        }
        catch (OperationCanceledException error) when (_writerBroken.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException(_writerReason, error);
        }
    }

    /// <summary>The writer has finished; the reader gets what is queued, then the end.</summary>
    public void Complete() => _parts.Writer.TryComplete();

    /// <summary>Fails both ends at once, each with its own words; the first call counts.</summary>
    public void Break(string readerReason, string writerReason)
    {
        lock (_gate)
        {
            if (_readerReason.Length > 0)
            {
                return;
            }

            _readerReason = readerReason;
            _writerReason = writerReason;
        }

        _readerBroken.Cancel();
        _writerBroken.Cancel();
    }

    private static void ThrowIfBroken(CancellationTokenSource broken, string reason)
    {
        if (broken.IsCancellationRequested)
        {
            throw new IOException(reason);
        }
    }

    private async ValueTask<int> TakeRoomAsync(int wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_free > 0)
                {
                    int taken = Math.Min(_free, wanted);
                    _free -= taken;
                    return taken;
                }

                _isWaiting = true;
            }

            await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Release(int count)
    {
        lock (_gate)
        {
            _free += count;
            if (!_isWaiting)
            {
                return;
            }

            _isWaiting = false;
        }

        _room.Release();
    }

    private readonly record struct Part(ReadOnlyMemory<byte> Bytes, long ReadyAt);
}
