using System.Net;

namespace P2P.Core.Connections;

/// <summary>How many dials may be in flight and how many may start: home routers fall over bursts, and providers take them for scans. Who finds it spent waits.</summary>
internal sealed class DialBudget : IDisposable
{
    /// <summary>Awaited dials that may start at once, and then per second: 200, then 300 a minute.</summary>
    private const int AwaitedBurst = 200;
    private const double AwaitedPerSecond = 300 / 60.0;

    /// <summary>Background dials: 120 a minute without a burst beyond those in flight.</summary>
    private const double BackgroundPerSecond = 120 / 60.0;

    private readonly TimeProvider _time;
    private readonly int _maxPerIp;
    private readonly SemaphoreSlim _awaited;
    private readonly SemaphoreSlim _background;
    private readonly TokenBucket _awaitedRate;
    private readonly TokenBucket _backgroundRate;
    private readonly Lock _gate = new(); // guards the buckets and the table
    private readonly Dictionary<IPAddress, PerIp> _perIp = [];

    public DialBudget(ConnectionOptions options, TimeProvider time)
    {
        _time = time;
        _maxPerIp = options.MaxDialsPerIp;
        _awaited = new SemaphoreSlim(options.MaxDialsInFlight);
        _background = new SemaphoreSlim(options.MaxBackgroundDialsInFlight);
        _awaitedRate = new TokenBucket(AwaitedBurst, AwaitedPerSecond, time.TimestampFrequency);
        _backgroundRate = new TokenBucket(options.MaxBackgroundDialsInFlight, BackgroundPerSecond, time.TimestampFrequency);
    }

    /// <summary>Waits for a place; the result gives it back.</summary>
    /// <param name="address">The destination.</param>
    /// <param name="isExempt">Loopback and on-link addresses pay nothing but their place per address.</param>
    /// <param name="purpose">Which budget pays.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IDisposable> EnterAsync(IPAddress? address, bool isExempt, DialPurpose purpose, CancellationToken cancellationToken)
    {
        Place place = new();
        try
        {
            if (address is not null && !IPAddress.IsLoopback(address))
            {
                PerIp perIp = Use(address);
                place.OnLeave(() => Unuse(address, perIp));
                await perIp.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
                place.OnLeave(() => perIp.Gate.Release());
            }

            if (!isExempt)
            {
                SemaphoreSlim inFlight = purpose == DialPurpose.Awaited ? _awaited : _background;
                await inFlight.WaitAsync(cancellationToken).ConfigureAwait(false);
                place.OnLeave(() => inFlight.Release());
                while (TryTake(purpose) is { Ticks: > 0 } wait)
                {
                    await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
                }
            }

            return place;
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _awaited.Dispose();
        _background.Dispose();
    }

    private TimeSpan TryTake(DialPurpose purpose)
    {
        lock (_gate)
        {
            return (purpose == DialPurpose.Awaited ? _awaitedRate : _backgroundRate).TryTake(_time.GetTimestamp());
        }
    }

    private PerIp Use(IPAddress address)
    {
        lock (_gate)
        {
            if (!_perIp.TryGetValue(address, out PerIp? perIp))
            {
                _perIp.Add(address, perIp = new PerIp(new SemaphoreSlim(_maxPerIp)));
            }

            perIp.Users++;
            return perIp;
        }
    }

    private void Unuse(IPAddress address, PerIp perIp)
    {
        lock (_gate)
        {
            if (--perIp.Users == 0)
            {
                _perIp.Remove(address);
                perIp.Gate.Dispose();
            }
        }
    }

    private sealed record PerIp(SemaphoreSlim Gate)
    {
        public int Users { get; set; }
    }

    /// <summary>Gives back what was taken, last first.</summary>
    private sealed class Place : IDisposable
    {
        private readonly Stack<Action> _leave = [];

        public void OnLeave(Action leave) => _leave.Push(leave);

        public void Dispose()
        {
            while (_leave.TryPop(out Action? leave))
            {
                leave();
            }
        }
    }
}
