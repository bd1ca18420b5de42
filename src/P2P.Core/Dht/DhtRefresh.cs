using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Dht;

/// <summary>Looks after the table: fills it when the first contact is there, then now and then looks up its own place and the buckets that nobody used, and drops who is silent.</summary>
internal sealed class DhtRefresh(DhtNode node, DhtMembers members, DhtNodeSettings settings, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Silent contacts that are asked in one round (count).</summary>
    private const int MaxChecks = 32;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(30), Shortest = TimeSpan.FromSeconds(1);

    private readonly RefreshSchedule _schedule = new(RefreshSettings.Default with { Interval = settings.RefreshInterval });

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await members.First.WaitAsync(cancellationToken).ConfigureAwait(false);
        TimeSpan lookedAfter = members.Now;
        while (true)
        {
            RefreshStep step = members.With(table => _schedule.Next(table, members.Now));
            switch (step.Kind)
            {
                case RefreshStepKind.Check:
                    await DropSilentAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case RefreshStepKind.Self:
                    await node.FindClosestAsync(node.Self.ToArray(), DialPurpose.Background, cancellationToken).ConfigureAwait(false);
                    break;
                case RefreshStepKind.Bucket:
                    await node.FindClosestAsync(NameIn(step.Prefix), DialPurpose.Background, cancellationToken).ConfigureAwait(false);
                    DhtLog.Refreshed(logger, members.Count, step.Prefix);
                    break;
                case RefreshStepKind.Bootstrap:
                    break; // the peers to begin with are kept connected by the node, for all its networks
                default:
                    TimeSpan wait = step.Until - members.Now;
                    await Task.Delay(wait < Tick ? (wait > Shortest ? wait : Shortest) : Tick, time, cancellationToken).ConfigureAwait(false);
                    break;
            }

            if (members.Now - lookedAfter < Tick)
                continue;
            lookedAfter = members.Now;
            await node.LookAfterAsync().ConfigureAwait(false);
        }
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
