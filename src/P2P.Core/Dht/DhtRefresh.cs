using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Muxer;

namespace P2P.Core.Dht;

/// <summary>Looks after the table: fills it when the first contact is there, then now and then looks up its own place and the buckets that nobody used, and drops who is silent.</summary>
internal sealed class DhtRefresh(DhtNode node, DhtMembers members, DhtNodeSettings settings, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Silent contacts that are asked in one round (count).</summary>
    private const int MaxChecks = 32;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(30), Shortest = TimeSpan.FromSeconds(1);

    private readonly AsyncSignal _heard = new();
    private readonly RefreshSchedule _schedule = new(RefreshSettings.Default with { Interval = settings.RefreshInterval });

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await members.First.WaitAsync(cancellationToken).ConfigureAwait(false);
        TimeSpan lookedAfter = members.Now;
        Task? heard = null;
        while (true)
        {
            RefreshStep step = members.With(table => _schedule.Next(table, members.Now));
            switch (step.Kind)
            {
                case RefreshStepKind.Check:
                    await DropSilentAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case RefreshStepKind.Self:
                    await node.FindNeighboursAsync(step.Others, cancellationToken).ConfigureAwait(false);
                    break;
                case RefreshStepKind.Bucket:
                    await node.FindClosestAsync(NameIn(step.Prefix), DialPurpose.Background, cancellationToken).ConfigureAwait(false);
                    DhtLog.Refreshed(logger, members.Count, step.Prefix);
                    break;
                case RefreshStepKind.Bootstrap:
                    break; // the peers to begin with are kept connected by the node, for all its networks
                default:
                    TimeSpan wait = step.Until - members.Now;
                    heard ??= _heard.WaitAsync().AsTask();
                    if (await IsOverAsync(heard, wait < Tick ? (wait > Shortest ? wait : Shortest) : Tick, cancellationToken).ConfigureAwait(false))
                        heard = null;
                    break;
            }

            if (members.Now - lookedAfter < Tick)
                continue;
            lookedAfter = members.Now;
            await node.LookAfterAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Somebody answered who is nearest to our own place.</summary>
    public void OnNeighboursNamed(IReadOnlyList<Contact> named)
    {
        if (members.With(table => _schedule.Hear(table, named)))
            _heard.Set();
    }

    /// <summary>A name whose point shares exactly so many bits with our own, found by trying: the wire takes names, not points.</summary>
    internal static byte[] NameWithPrefix(DhtKey own, int prefix, Random random)
    {
        byte[] name = new byte[34];
        do
        {
            random.NextBytes(name);
            (name[0], name[1]) = (0x12, 0x20);
        }
        while (own.CommonPrefixLength(DhtKey.Of(name)) != prefix);
        return name;
    }

    /// <summary>Waits for something, and not longer than that.</summary>
    private async Task<bool> IsOverAsync(Task awaited, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await awaited.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private byte[] NameIn(int prefix)
    {
        lock (random)
            return NameWithPrefix(members.Own, prefix, random);
    }

    private async Task DropSilentAsync(CancellationToken cancellationToken)
    {
        List<Contact> silent = members.With(table => table.FindSilent(members.Now, 2 * settings.RefreshInterval, MaxChecks));
        ParallelOptions options = new() { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(silent, options, async (contact, token) => await node.CheckAsync(contact, token).ConfigureAwait(false)).ConfigureAwait(false);
    }
}
