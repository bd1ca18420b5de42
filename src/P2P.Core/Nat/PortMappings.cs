using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Nat;

/// <summary>Keeps the ports that we listen on mapped in every router of ours, and gives them back in the end.</summary>
/// <param name="system">The machine.</param>
/// <param name="ports">The TCP ports listened on, asked each time.</param>
/// <param name="onChanged">Told when <see cref="Current"/> has changed.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Chance for ports.</param>
/// <param name="logger">The log.</param>
internal sealed class PortMappings(IGatewaySystem system, Func<IReadOnlyList<int>> ports, Action onChanged, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Ports that are mapped in one router (count).</summary>
    private const int MaxPorts = 4;

    /// <summary>The longest pause: interfaces and ports are compared with what they were.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>For all routers to take their ports back.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly List<KeptPort> _kept = []; // of the loop
    private readonly Dictionary<Gateway, (PortControlClient Control, UpnpClient Upnp)> _clients = []; // of the loop
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new(); // guards _look
    private TaskCompletionSource _look = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IReadOnlyList<PortMapping> _current = [];
    private volatile IReadOnlyList<MappingAttempt> _failures = [];
    private volatile IReadOnlyList<Gateway> _gateways = [];

    /// <summary>The mappings that there are.</summary>
    public IReadOnlyList<PortMapping> Current => _current;

    /// <summary>Why there are no others.</summary>
    public IReadOnlyList<MappingAttempt> Failures => _failures;

    /// <summary>The routers that are asked.</summary>
    public IReadOnlyList<Gateway> Gateways => _gateways;

    /// <summary>Waits until every router has been asked once, or it is known that there is none.</summary>
    public Task WaitUntilSettledAsync(CancellationToken cancellationToken) => _settled.Task.WaitAsync(cancellationToken);

    /// <summary>Has it look now whether ports or routers have changed, and try again what failed.</summary>
    public void Look()
    {
        lock (_gate)
            _look.TrySetResult();
    }

    /// <summary>Runs until the node stops, then gives the ports back.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await UpdateAsync(cancellationToken).ConfigureAwait(false);
                // ports of one router one after the other: its clients are for one at a time
                bool[] changed = await Task.WhenAll(_kept.GroupBy(static kept => kept.Gateway).Select(group => TendAsync([.. group], cancellationToken)).ToArray()).ConfigureAwait(false);
                Publish();
                _settled.TrySetResult();
                if (changed.Contains(true))
                    onChanged();
                await PauseAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _settled.TrySetResult();
            using Deadline farewell = new(Farewell, time, CancellationToken.None);
            await Task.WhenAll(_kept.GroupBy(static kept => kept.Gateway).Select(group => RemoveAsync([.. group], farewell.Token)).ToArray()).ConfigureAwait(false);
            _kept.Clear();
            Publish();
        }
    }

    private async Task UpdateAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Gateway> gateways = system.GetGateways();
        IReadOnlyList<int> wanted = [.. ports().Distinct().Take(MaxPorts)];
        foreach (KeptPort gone in _kept.Where(kept => !gateways.Contains(kept.Gateway) || !wanted.Contains(kept.Port)).ToArray())
        {
            _kept.Remove(gone);
            if (gateways.Contains(gone.Gateway))
                await gone.RemoveAsync(cancellationToken).ConfigureAwait(false);
            Publish();
            onChanged();
        }

        foreach (Gateway gone in _clients.Keys.Except(gateways).ToArray())
            _clients.Remove(gone);
        foreach (Gateway gateway in gateways)
        {
            if (!_clients.TryGetValue(gateway, out (PortControlClient Control, UpnpClient Upnp) clients))
                _clients[gateway] = clients = (new PortControlClient(gateway, system, time), new UpnpClient(gateway, system, time, random));
            foreach (int port in wanted)
            {
                if (!_kept.Exists(kept => kept.Gateway == gateway && kept.Port == port))
                    _kept.Add(new KeptPort(gateway, port, clients.Control, clients.Upnp, time, logger));
            }
        }

        _gateways = gateways;
    }

    private static async Task<bool> TendAsync(IReadOnlyList<KeptPort> ports, CancellationToken cancellationToken)
    {
        bool isChanged = false;
        foreach (KeptPort kept in ports)
            isChanged |= await kept.TendAsync(cancellationToken).ConfigureAwait(false);
        return isChanged;
    }

    private static async Task RemoveAsync(IReadOnlyList<KeptPort> ports, CancellationToken cancellationToken)
    {
        foreach (KeptPort kept in ports)
            await kept.RemoveAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Publish()
    {
        _current = [.. _kept.Select(static kept => kept.Mapping).OfType<PortMapping>()];
        _failures = [.. _kept.SelectMany(static kept => kept.Failures).Distinct()];
    }

    private async Task PauseAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = _kept.Count == 0 ? LongestPause : _kept.Min(static kept => kept.Pause);
        Task look;
        lock (_gate)
            look = _look.Task;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(look, Task.Delay(pause < LongestPause ? pause : LongestPause, time, enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (!look.IsCompleted)
            return;
        lock (_gate)
            _look = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _kept.ForEach(static kept => kept.Hurry());
    }
}
