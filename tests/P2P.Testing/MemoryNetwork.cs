using System.Net;
using P2P.Core;

namespace P2P.Testing;

/// <summary>
/// A network in memory: hosts with addresses of their own, from 10.0.0.1 up, that reach each other over <see cref="MemoryTransport"/>.
/// The addresses look like real ones because there is no address form for memory that may appear on a wire.
/// </summary>
internal sealed class MemoryNetwork(TimeProvider? time = null)
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly Dictionary<IPEndPoint, MemoryListener> _listeners = [];
    private readonly HashSet<(IPAddress, IPAddress)> _cuts = [];
    private int _hosts;
    private int _nextPort = 40_000;

    /// <summary>The prefix that all hosts share, for the rules about private addresses.</summary>
    public static IPNetwork Prefix { get; } = IPNetwork.Parse("10.0.0.0/8");

    /// <summary>The clock that <see cref="Latency"/> is measured with.</summary>
    public TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <summary>How long bytes take from one host to another. Default none.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Bytes that wait in one direction before the sender must (bytes). Default 256 KiB.</summary>
    public int BufferBytes { get; set; } = 256 * 1024;

    /// <summary>Connections made since the start.</summary>
    public int ConnectionCount { get; private set; }

    /// <summary>Adds a host with the next free address.</summary>
    public MemoryTransport NewHost()
    {
        int number = Interlocked.Increment(ref _hosts);
        return new MemoryTransport(this, new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]));
    }

    /// <summary>Makes new connections between two hosts hang, in both directions, as a firewall that drops does.</summary>
    public void Cut(IPAddress a, IPAddress b)
    {
        lock (_gate)
        {
            _cuts.Add((a, b));
            _cuts.Add((b, a));
        }
    }

    /// <summary>Undoes <see cref="Cut"/>.</summary>
    public void Heal(IPAddress a, IPAddress b)
    {
        lock (_gate)
        {
            _cuts.Remove((a, b));
            _cuts.Remove((b, a));
        }
    }

    internal MemoryListener Listen(IPEndPoint wanted)
    {
        lock (_gate)
        {
            IPEndPoint end = wanted.Port == 0 ? new IPEndPoint(wanted.Address, _nextPort++) : wanted;
            MemoryListener listener = new(this, end);
            return _listeners.TryAdd(end, listener) ? listener : throw new IOException("address already in use");
        }
    }

    internal void Unlisten(MemoryListener listener)
    {
        lock (_gate)
        {
            _listeners.Remove(listener.EndPoint);
        }
    }

    internal async ValueTask<MemoryConnection> ConnectAsync(IPAddress from, IPEndPoint to, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsCut(from, to.Address))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, Time, cancellationToken).ConfigureAwait(false);
        }

        if (Latency > TimeSpan.Zero)
        {
            await Task.Delay(Latency * 2, Time, cancellationToken).ConfigureAwait(false);
        }

        MemoryListener? listener;
        IPEndPoint own;
        lock (_gate)
        {
            _listeners.TryGetValue(to, out listener);
            own = new IPEndPoint(from, _nextPort++ % 25_000 + 40_000);
            ConnectionCount++;
        }

        (MemoryConnection near, MemoryConnection far) = MemoryConnection.NewPair(
            Multiaddress.FromEndPoint(own), Multiaddress.FromEndPoint(to), BufferBytes, Latency, Time);
        return listener is not null && listener.TryOffer(far) ? near : throw new IOException("connection refused");
    }

    private bool IsCut(IPAddress from, IPAddress to)
    {
        lock (_gate)
        {
            return _cuts.Contains((from, to));
        }
    }
}
