using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace P2P.Testing;

/// <summary>How a <see cref="DelayRelay"/> shapes a link.</summary>
public sealed record DelayRelayOptions
{
    /// <summary>The time from one end to the other and back, added to the real one. Default 60 ms.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(60);

    /// <summary>The rate in each direction of each connection (bits a second). Default 100 Mbit/s.</summary>
    public long BitsPerSecond { get; init; } = 100_000_000;

    /// <summary>What waits in each direction besides the bytes that are on their way (bytes), as in a router. Default 256 KiB. Too small and the rate is not reached.</summary>
    public int BufferBytes { get; init; } = 256 * 1024;
}

/// <summary>
/// A TCP relay on the loopback interface that makes the way to a target long and narrow: it adds delay and caps the rate, in both directions, without
/// help from the kernel. Bytes leave in the order and at the times at which a link of that rate and length would deliver them.
/// </summary>
/// <remarks>Uses real time. At 400 Mbit/s and 63 ms it keeps the rate within a few percent and costs a small part of a core.</remarks>
public sealed class DelayRelay : IAsyncDisposable
{
    /// <summary>What is read at once (bytes).</summary>
    private const int ChunkBytes = 64 * 1024;

    /// <summary>How late the relay may come to a busy link before that shows in the rate.</summary>
    private static readonly TimeSpan MaxLateness = TimeSpan.FromMilliseconds(5);

    private readonly Socket _listener;
    private readonly IPEndPoint _target;
    private readonly DelayRelayOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new(); // guards the set
    private readonly HashSet<Task> _links = [];
    private readonly Task _accepting;
    private long _forwarded;

    private DelayRelay(Socket listener, IPEndPoint target, DelayRelayOptions options, TimeProvider time)
    {
        _listener = listener;
        _target = target;
        _options = options;
        _time = time;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where to connect instead of to the target.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Bytes delivered, both directions and all connections together.</summary>
    public long BytesForwarded => Interlocked.Read(ref _forwarded);

    /// <summary>Starts a relay on a free loopback port.</summary>
    /// <param name="target">Where each connection is carried on to.</param>
    /// <param name="options">The link; by default 60 ms and 100 Mbit/s.</param>
    /// <param name="time">The clock; by default the system's.</param>
    public static DelayRelay Start(IPEndPoint target, DelayRelayOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return new DelayRelay(listener, target, options ?? new DelayRelayOptions(), time ?? TimeProvider.System);
    }

    /// <summary>Closes the listener and all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] links;
        lock (_gate)
        {
            links = [.. _links];
        }

        await Task.WhenAll(links).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            Task link = Task.Run(() => CarryAsync(client));
            lock (_gate)
            {
                _links.Add(link);
            }

            _ = link.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private void Forget(Task link)
    {
        lock (_gate)
        {
            _links.Remove(link);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using Socket near = client;
        using Socket far = new(_target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Shape(near);
        Shape(far);
        try
        {
            await far.ConnectAsync(_target, _stop.Token).ConfigureAwait(false);
            using CancellationTokenSource broken = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAll(PumpAsync(near, far, broken), PumpAsync(far, near, broken)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the target refused, or one end went away: closing both sockets tells the other one
        }
    }

    /// <summary>Small buffers in the kernel, so that what waits, waits here where it is counted.</summary>
    private void Shape(Socket socket)
    {
        socket.NoDelay = true;
        socket.ReceiveBufferSize = _options.BufferBytes;
    }

    private async Task PumpAsync(Socket from, Socket to, CancellationTokenSource broken)
    {
        long delay = (long)(_options.RoundTrip.TotalSeconds / 2 * _time.TimestampFrequency);
        double ticksPerByte = 8.0 * _time.TimestampFrequency / _options.BitsPerSecond;
        long onTheWay = (long)(_options.RoundTrip.TotalSeconds / 2 * _options.BitsPerSecond / 8);
        using SemaphoreSlim room = new((int)Math.Max(2, (onTheWay + _options.BufferBytes + ChunkBytes - 1) / ChunkBytes));
        Channel<Chunk> line = Channel.CreateUnbounded<Chunk>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }); // bounded by the room
        try
        {
            await Task.WhenAll(
                FillAsync(from, line.Writer, room, delay, ticksPerByte, broken.Token),
                DrainAsync(to, line.Reader, room, broken.Token)).ConfigureAwait(false);
        }
        catch
        {
            await broken.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task FillAsync(Socket from, ChannelWriter<Chunk> line, SemaphoreSlim room, long delay, double ticksPerByte, CancellationToken cancellationToken)
    {
        double lateness = MaxLateness.TotalSeconds * _time.TimestampFrequency;
        double free = 0; // when the link has sent all that it was given
        try
        {
            while (true)
            {
                await room.WaitAsync(cancellationToken).ConfigureAwait(false);
                byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
                int count = await from.ReceiveAsync(buffer.AsMemory(0, ChunkBytes), cancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    return;
                }

                // read a little late by a busy machine, the bytes were there all the same and the link was not idle
                double now = _time.GetTimestamp();
                free = (now - free < lateness ? free : now) + (count * ticksPerByte);
                line.TryWrite(new Chunk(buffer, count, (long)free + delay));
            }
        }
        finally
        {
            line.TryComplete();
        }
    }

    private async Task DrainAsync(Socket to, ChannelReader<Chunk> line, SemaphoreSlim room, CancellationToken cancellationToken)
    {
        await foreach (Chunk chunk in line.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            // timers tick in milliseconds: what is due within half of one goes now, so that the error is to both sides
            while (_time.GetElapsedTime(_time.GetTimestamp(), chunk.DueAt) is { TotalMilliseconds: > 0.5 } early)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, Math.Floor(early.TotalMilliseconds))), _time, cancellationToken).ConfigureAwait(false);
            }

            ReadOnlyMemory<byte> rest = chunk.Buffer.AsMemory(0, chunk.Count);
            while (!rest.IsEmpty)
            {
                rest = rest[await to.SendAsync(rest, cancellationToken).ConfigureAwait(false)..];
            }

            Interlocked.Add(ref _forwarded, chunk.Count);
            ArrayPool<byte>.Shared.Return(chunk.Buffer);
            room.Release();
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private readonly record struct Chunk(byte[] Buffer, int Count, long DueAt);
}
