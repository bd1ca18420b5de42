using System.Net;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Diagnostics;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>Accepts connections on all listen addresses and takes them through their handshakes, as many at once as the gate lets in.</summary>
internal sealed class InboundListeners(
    ConnectionUpgrader upgrader,
    BandwidthLimits bandwidth,
    ConnectionOptions options,
    TimeProvider time,
    ILogger logger,
    Func<UpgradedConnection, Task> onUpgraded,
    BackgroundWork work,
    CancellationToken stop)
{
    /// <summary>The pause after a failed accept, for example because the process has no file handle left.</summary>
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(200);

    private readonly InboundGate _handshakes = new(options.MaxUnfinishedHandshakes, options.MaxUnfinishedHandshakesPerPrefix);
    private readonly Lock _gate = new(); // guards the fields below
    private readonly List<ITransportListener> _listeners = [];
    private (IReadOnlyList<Multiaddress> Addresses, long At, int Version)? _addresses;

    /// <summary>Handshakes under way.</summary>
    public int UnfinishedHandshakes => _handshakes.Count;

    /// <summary>Where we listen, with real ports; 0.0.0.0 and :: stand for each address of the machine.</summary>
    public IReadOnlyList<Multiaddress> Addresses
    {
        get
        {
            lock (_gate)
            {
                int version = NetworkChanges.Version;
                if (_addresses is not { } known || known.Version != version || time.GetElapsedTime(known.At) > NetworkChanges.Lifetime)
                {
                    IReadOnlyList<Multiaddress> expanded = [.. _listeners.SelectMany(listener => ListenAddressExpansion.Expand(listener.BoundAddress)).Distinct()];
                    _addresses = known = (expanded, time.GetTimestamp(), version);
                }

                return known.Addresses;
            }
        }
    }

    /// <summary>Listens on all of the addresses, or on none.</summary>
    public async Task<IReadOnlyList<Multiaddress>> AddAsync(
        IReadOnlyList<ITransport> transports, IReadOnlyList<Multiaddress> addresses, CancellationToken cancellationToken)
    {
        List<ITransportListener> opened = [];
        try
        {
            foreach (Multiaddress address in addresses)
            {
                opened.Add(await OpenAsync(transports, address, cancellationToken).ConfigureAwait(false));
            }
        }
        catch
        {
            foreach (ITransportListener listener in opened)
            {
                await listener.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }

        lock (_gate)
        {
            _listeners.AddRange(opened);
            _addresses = null;
        }

        foreach (ITransportListener listener in opened)
        {
            ConnectionsLog.Listening(logger, listener.BoundAddress);
            work.Run(() => AcceptAsync(listener));
        }

        return [.. opened.Select(listener => listener.BoundAddress)];
    }

    /// <summary>Accepts nothing more.</summary>
    public async Task CloseAsync()
    {
        ITransportListener[] listeners;
        lock (_gate)
        {
            listeners = [.. _listeners];
            _listeners.Clear();
            _addresses = null;
        }

        foreach (ITransportListener listener in listeners)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<ITransportListener> OpenAsync(IReadOnlyList<ITransport> transports, Multiaddress address, CancellationToken cancellationToken)
    {
        ITransport? transport = transports.FirstOrDefault(candidate => candidate.CanListen(address));
        if (transport is null)
        {
            throw new ArgumentException($"Cannot listen on {address}: it must be /ip4/... or /ip6/... with /tcp/PORT.", nameof(address));
        }

        try
        {
            return await transport.ListenAsync(address, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            throw new P2PException(P2PErrorCode.InUse, $"Cannot listen on {address}: {error.Message}. Choose another port or address.", error);
        }
    }

    private async Task AcceptAsync(ITransportListener listener)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (await listener.AcceptAsync(stop).ConfigureAwait(false) is not { } connection)
                {
                    return;
                }

                // not through the pool's queue: who has sent its first bytes already must get past the first stage before others displace it
                work.Add(UpgradeAsync(bandwidth.Apply(connection)));
            }
            catch (IOException error)
            {
                ConnectionsLog.AcceptFailed(logger, listener.BoundAddress, error.Message, AcceptPause);
                await Task.Delay(AcceptPause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task UpgradeAsync(ITransportConnection connection)
    {
        Multiaddress remote = connection.RemoteAddress;
        IPAddress? ip = remote.TryGetEndPoint(out IPEndPoint? end) ? end.Address : null;
        using InboundGate.Slot slot = _handshakes.Enter(ip, connection.Abort);
        UpgradedConnection upgraded;
        try
        {
            upgraded = await upgrader.AcceptAsync(connection, slot.Advance, stop).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            string reason = slot.IsEvicted ? "too many handshakes under way" : UntrustedText.Clean(error.Message);
            ConnectionsLog.HandshakeFailed(logger, remote, reason);
            return;
        }

        slot.Dispose(); // the handshake is over, whatever adding it takes
        await onUpgraded(upgraded).ConfigureAwait(false);
    }
}
