using Microsoft.Extensions.Logging;

namespace P2P.Core.Nat;

/// <summary>
/// Keeps one port of one router mapped to one of ours: asked by all protocols together, renewed at half of its time, looked after between, and asked for
/// again when the router has forgotten it. For one loop.
/// </summary>
internal sealed class KeptPort(Gateway gateway, int port, PortControlClient control, UpnpClient upnp, TimeProvider time, ILogger logger)
{
    /// <summary>How often the router is asked whether it still has the mapping: a restart must not go unnoticed for long.</summary>
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(20);

    /// <summary>The pause before the next try at a router that gave a port before and does not answer now: it may be restarting.</summary>
    private static readonly TimeSpan LostPause = TimeSpan.FromSeconds(10);

    /// <summary>The pauses before the next try at a router that has given nothing yet.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15)];

    /// <summary>Silences in a row after which a mapping counts as lost (count), and tries in short pauses that follow.</summary>
    private const int MaxMisses = 3, LostTries = 12;

    /// <summary>No answer makes us ask more often than this.</summary>
    private static readonly TimeSpan LeastRenewal = TimeSpan.FromSeconds(30), MostRenewal = TimeSpan.FromHours(1);

    private readonly long _began = time.GetTimestamp();
    private IPortMapper? _by;
    private TimeSpan _dueAt, _renewAt, _endsAt; // since _began
    private int _misses, _failures, _lostTries;

    public Gateway Gateway => gateway;

    public int Port => port;

    /// <summary>What there is.</summary>
    public PortMapping? Mapping { get; private set; }

    /// <summary>Why there is nothing.</summary>
    public IReadOnlyList<MappingAttempt> Failures { get; private set; } = [];

    /// <summary>How long nothing is to be done.</summary>
    public TimeSpan Pause => _dueAt > Now ? _dueAt - Now : TimeSpan.Zero;

    private TimeSpan Now => time.GetElapsedTime(_began);

    /// <summary>Does what is due.</summary>
    /// <returns>Whether <see cref="Mapping"/> has changed.</returns>
    public async Task<bool> TendAsync(CancellationToken cancellationToken)
    {
        if (Pause > TimeSpan.Zero)
            return false;
        PortMapping? before = Mapping;
        if (Mapping is null)
            await TryAsync(cancellationToken).ConfigureAwait(false);
        else
            await KeepAsync(Mapping, _by!, cancellationToken).ConfigureAwait(false);
        return !Equals(before?.External, Mapping?.External);
    }

    /// <summary>Tries at the next turn, whatever went wrong before.</summary>
    public void Hurry()
    {
        if (Mapping is null)
            (_dueAt, _failures) = (TimeSpan.Zero, 0);
    }

    /// <summary>Gives the port back.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        if (Mapping is not { } mapping)
            return;
        Mapping = null;
        try
        {
            await _by!.RemoveAsync(mapping, cancellationToken).ConfigureAwait(false);
            NatLog.Removed(logger, mapping.External, gateway.Router);
        }
        catch (Exception error) when (error is MappingException or OperationCanceledException)
        {
            NatLog.NotRemoved(logger, mapping.External, gateway.Router, error.Message);
        }
    }

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<UpnpService> search = upnp.FindAsync(over.Token); // beside the other: it takes seconds where nobody answers
        List<MappingAttempt> failures = [];
        try
        {
            if (await TryAsync(control, "PCP or NAT-PMP", failures, cancellationToken).ConfigureAwait(false))
                return;
            await ((Task)search).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (search.Exception?.InnerException is { } silent)
                failures.Add(new MappingAttempt(gateway, "UPnP", silent.Message, silent is MappingException { IsAnswer: true }));
            else if (await TryAsync(upnp, "UPnP", failures, cancellationToken).ConfigureAwait(false))
                return;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)search).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (MappingAttempt failure in failures)
            NatLog.NotMapped(logger, gateway.Router, failure.Protocols, failure.Failure);
        Failures = failures;
        _dueAt = Now + (_lostTries > 0 ? LostPause : Pauses[Math.Min(_failures, Pauses.Length - 1)]);
        if (_lostTries > 0)
            _lostTries--;
        else
            _failures++;
    }

    private async Task<bool> TryAsync(IPortMapper by, string protocols, List<MappingAttempt> failures, CancellationToken cancellationToken)
    {
        try
        {
            Take(await by.MapAsync(port, port, cancellationToken).ConfigureAwait(false), by);
            return true;
        }
        catch (MappingException error)
        {
            failures.Add(new MappingAttempt(gateway, protocols, error.Message, error.IsAnswer));
            return false;
        }
    }

    private async Task KeepAsync(PortMapping mapping, IPortMapper by, CancellationToken cancellationToken)
    {
        try
        {
            if (Now >= _renewAt || !await by.IsThereAsync(mapping, cancellationToken).ConfigureAwait(false))
                Take(await by.MapAsync(port, mapping.External.Port, cancellationToken).ConfigureAwait(false), by);
            else
                _dueAt = Earlier(Now + CheckInterval, _renewAt);
            _misses = 0;
        }
        catch (MappingException error)
        {
            NatLog.NotKept(logger, mapping.External, gateway.Router, error.Message);
            _dueAt = Now + LostPause;
            if (++_misses < MaxMisses && Now < _endsAt)
                return;
            NatLog.Lost(logger, mapping.External, gateway.Router);
            (Mapping, _by, _misses, _lostTries) = (null, null, 0, LostTries);
        }
    }

    private void Take(PortMapping mapping, IPortMapper by)
    {
        if (!Equals(Mapping?.External, mapping.External))
            NatLog.Mapped(logger, mapping.External, mapping.Protocol, gateway.Router, port);
        (Mapping, _by, _misses, _failures, _lostTries, Failures) = (mapping, by, 0, 0, 0, []);
        TimeSpan lifetime = mapping.Lifetime == TimeSpan.Zero ? MostRenewal * 2 : mapping.Lifetime;
        TimeSpan renewal = lifetime / 2 < LeastRenewal ? LeastRenewal : lifetime / 2 > MostRenewal ? MostRenewal : lifetime / 2;
        (_renewAt, _endsAt) = (Now + renewal, Now + lifetime);
        _dueAt = Earlier(Now + CheckInterval, _renewAt);
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
