using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Dht;

/// <summary>Looks after the table: fills it when the first contact is there, then now and then looks up its own place and the buckets that nobody used, and drops who is silent.</summary>
internal sealed class DhtRefresh(DhtNode node, DhtMembers members, DhtNodeSettings settings, TimeProvider time, Random random, ILogger logger)
{
    /// <summary>Buckets beyond this one hold next to nobody in any network that exists, and finding a name in them is dear.</summary>
    private const int MaxPrefix = 15;

    /// <summary>Silent contacts that are asked in one round (count).</summary>
    private const int MaxChecks = 32;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(30);

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await members.First.WaitAsync(cancellationToken).ConfigureAwait(false);
        await RefreshAsync(all: true, cancellationToken).ConfigureAwait(false);
        members.With(static table =>
        {
            table.KeepAll();
            return 0;
        });
        TimeSpan last = members.Now;
        while (true)
        {
            await Task.Delay(Tick, time, cancellationToken).ConfigureAwait(false);
            await node.LookAfterAsync().ConfigureAwait(false);
            if (members.Now - last < settings.RefreshInterval)
                continue;
            last = members.Now;
            await DropSilentAsync(cancellationToken).ConfigureAwait(false);
            await RefreshAsync(all: false, cancellationToken).ConfigureAwait(false);
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

    private async Task RefreshAsync(bool all, CancellationToken cancellationToken)
    {
        await node.FindClosestAsync(node.Self.ToArray(), DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        int buckets = members.With(static table => table.BucketCount);
        for (int prefix = 0; prefix < Math.Min(buckets, MaxPrefix + 1); prefix++)
        {
            int index = prefix;
            TimeSpan lastUsed = members.With(table => index < table.BucketCount ? table.Bucket(index).LastUsed : TimeSpan.MaxValue);
            if (!all && (lastUsed == TimeSpan.MaxValue || members.Now - lastUsed < settings.RefreshInterval))
                continue;
            byte[] name;
            lock (random)
                name = NameWithPrefix(members.Own, prefix, random);
            await node.FindClosestAsync(name, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        }

        DhtLog.Refreshed(logger, members.Count, buckets);
    }

    private async Task DropSilentAsync(CancellationToken cancellationToken)
    {
        List<Contact> silent = members.With(table => table.FindSilent(members.Now, 2 * settings.RefreshInterval, MaxChecks));
        ParallelOptions options = new() { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(silent, options, async (contact, token) => await node.CheckAsync(contact, token).ConfigureAwait(false)).ConfigureAwait(false);
    }
}
