using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Dht;

/// <summary>Runs a <see cref="ProvideSweep"/> over the network: what it wants done is done in the background, a few things at a time. Thread-safe.</summary>
internal sealed class DhtSweep(DhtNode node, IProvideJournal journal, SweepSettings settings, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Whether there are contacts, and where this node is, is looked at so often.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(10), Shortest = TimeSpan.FromSeconds(0.1);

    private readonly Lock _gate = new(); // guards the sweep
    private readonly ProvideSweep _sweep = new(journal, settings, random);
    private readonly Channel<Action> _events = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true }); // as many as are under way
    private readonly BackgroundWork _work = new(error => DhtLog.BackgroundFailed(logger, error));

    /// <summary>How far behind its schedule it is.</summary>
    public TimeSpan Lag
    {
        get
        {
            lock (_gate)
                return _sweep.Lag(Now);
        }
    }

    // since 1970: the schedule outlives the process
    private TimeSpan Now => time.GetUtcNow() - DateTimeOffset.UnixEpoch;

    /// <summary>Keys were put into the journal.</summary>
    public void OnKeysAdded()
    {
        lock (_gate)
            _sweep.OnKeysAdded(Now);
        _events.Writer.TryWrite(static () => { });
    }

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await node.HasContact.WaitAsync(cancellationToken).ConfigureAwait(false);
        int regions = 0;
        try
        {
            while (true)
            {
                await journal.FlushAsync(cancellationToken).ConfigureAwait(false);
                SweepStep step = Next();
                if (step.Kind == SweepStepKind.Wait)
                    await WaitAsync(step.Until - Now, cancellationToken).ConfigureAwait(false);
                else
                    _work.Run(() => DoAsync(step, cancellationToken));
                while (_events.Reader.TryRead(out Action? apply))
                {
                    lock (_gate)
                        apply();
                }

                if (regions != _sweep.DoneRegions)
                {
                    regions = _sweep.DoneRegions;
                    DhtLog.RegionDone(logger, regions, _sweep.WaitingRegions, Lag.TotalSeconds);
                }
            }
        }
        finally
        {
            await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private SweepStep Next()
    {
        string addresses = node.AnnouncedAddresses;
        lock (_gate)
        {
            _sweep.NetworkSize = node.NetworkSize;
            _sweep.SetOnline(addresses.Length > 0 && node.ContactCount > 0, Now);
            if (addresses.Length > 0)
                _sweep.SetAddresses(addresses, Now);
            return _sweep.Next(Now);
        }
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(wait > Tick ? Tick : wait < Shortest ? Shortest : wait, time, cancellationToken);
        try
        {
            await _events.Reader.WaitToReadAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            // the time has come
        }
    }

    private async Task DoAsync(SweepStep step, CancellationToken cancellationToken)
    {
        // a failure of any kind has to be said, or the sweep waits for it for ever
        Action apply = Failed(step);
        try
        {
            switch (step.Kind)
            {
                case SweepStepKind.LookUp:
                    byte[] name = NameNear(step.Target, step.PrefixBits);
                    IReadOnlyList<Contact> closest = await node.FindClosestAsync(name, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
                    apply = () => _sweep.OnLookup(DhtKey.Of(name), closest);
                    break;
                case SweepStepKind.Tell:
                    bool isTold = await node.TellProvidedAsync(step.Contact!, step.Keys, cancellationToken).ConfigureAwait(false);
                    apply = () => _sweep.OnTold(isTold);
                    break;
                default:
                    ProvideResult result = await node.ProvideAsync(step.Keys[0].Name, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
                    apply = () => _sweep.OnProvided(result.Told > 0);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            // stopping: the loop has ended
        }
        finally
        {
            _events.Writer.TryWrite(apply);
        }
    }

    private Action Failed(SweepStep step) => step.Kind switch
    {
        SweepStepKind.LookUp => () => _sweep.OnLookup(step.Target, []),
        SweepStepKind.Tell => () => _sweep.OnTold(isReached: false),
        _ => () => _sweep.OnProvided(isReached: false),
    };

    /// <summary>A name whose point shares so many bits with another, found by trying: the wire takes names, not points.</summary>
    private byte[] NameNear(DhtKey target, int bits)
    {
        byte[] name = new byte[34];
        lock (random)
        {
            do
            {
                random.NextBytes(name);
                (name[0], name[1]) = (0x12, 0x20);
            }
            while (target.CommonPrefixLength(DhtKey.Of(name)) < bits);
        }

        return name;
    }
}
