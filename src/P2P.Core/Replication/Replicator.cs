using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Content;
using P2P.Core.Dht;
using P2P.Core.Diagnostics;
using P2P.Core.Identity;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// Has copies of this node's shares kept by the holders closest to them: places each run, keeps count by audits, makes good what is lost, renews the leases
/// and releases them. Thread-safe.
/// </summary>
internal sealed class Replicator
{
    /// <summary>Runs placed in parallel (count): each holds one offer to each of its holders.</summary>
    private const int Parallelism = 4;

    /// <summary>Holders told at once that a share has ended (count).</summary>
    private const int ReleaseParallelism = 8;

    private readonly BlockStore _store;
    private readonly ReplicaClient _client;
    private readonly ReplicationSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaseWriter _leases;
    private readonly KeptReceipts _receipts;
    private readonly RunPlacer _placer;
    private readonly CopyAudits _audits;
    private readonly ConcurrentDictionary<Cid, ReplicatedShare> _shares = new();
    private readonly long _started;

    public Replicator(
        BlockStore store, IdentityKey identity, IHolderDirectory directory, ReplicaClient client, ReplicationSettings settings, string network, TimeProvider time, ILoggerFactory loggers)
    {
        (_store, _client, _settings, _time, _started) = (store, client, settings, time, time.GetTimestamp());
        _logger = loggers.CreateLogger("P2P.Core.Replication");
        _leases = new LeaseWriter(identity, settings, network, time);
        _receipts = new KeptReceipts(store);
        var trust = new HolderTrust(time);
        _placer = new RunPlacer(directory, client, _leases, _receipts, settings, trust, time, _logger);
        _audits = new CopyAudits(store, client, _receipts, trust, _logger);
    }

    private TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>Places a share, more copies of one that was placed before, or renews it. Returns when every holder that was asked has answered.</summary>
    /// <param name="root">The share.</param>
    /// <param name="form">How it stands in blocks.</param>
    /// <param name="target">Copies wanted.</param>
    /// <param name="cancellationToken">Ends it; what was placed stays placed.</param>
    public async Task<ReplicationState> ReplicateAsync(Cid root, BlockForm form, int target, CancellationToken cancellationToken)
    {
        ReplicatedShare share = await LoadAsync(root, form, target, cancellationToken).ConfigureAwait(false);
        await PlaceAsync(share, isRenewal: true, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false);
        return StateOf(share);
    }

    /// <summary>Takes up a share that an earlier run had placed: who has it is known from the receipts, and only what is missing or due is offered.</summary>
    /// <inheritdoc cref="ReplicateAsync"/>
    public async Task<ReplicationState> ResumeAsync(Cid root, BlockForm form, int target, CancellationToken cancellationToken)
    {
        ReplicatedShare share = await LoadAsync(root, form, target, cancellationToken).ConfigureAwait(false);
        await LookAfterAsync(share, cancellationToken).ConfigureAwait(false);
        return StateOf(share);
    }

    /// <summary>How a share stands now, by audits made now.</summary>
    /// <inheritdoc cref="ReplicateAsync"/>
    public async Task<ReplicationState> CheckAsync(Cid root, BlockForm form, int target, CancellationToken cancellationToken)
    {
        ReplicatedShare share = await LoadAsync(root, form, target, cancellationToken).ConfigureAwait(false);
        await AuditAsync(share, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false);
        return StateOf(share);
    }

    /// <summary>Releases the leases on a share, as far as their holders can be reached; the others end by themselves.</summary>
    public async Task ReleaseAsync(Cid root, CancellationToken cancellationToken)
    {
        _shares.TryRemove(root, out _);
        var byHolder = _receipts.Read(root).GroupBy(static one => one.Holder.Peer).ToList();
        await _receipts.ForgetAsync(root, cancellationToken).ConfigureAwait(false);
        ParallelOptions options = new() { MaxDegreeOfParallelism = ReleaseParallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(byHolder, options, async (runs, token) =>
        {
            foreach ((DhtKey run, Contact holder, Receipt receipt) in runs)
            {
                try
                {
                    await _client.ReleaseAsync(holder, _leases.Release(run, receipt), DialPurpose.Awaited, token).ConfigureAwait(false);
                }
                catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
                {
                    ReplicationLog.NotReleased(_logger, holder.Peer, run, UntrustedText.Clean(error.Message));
                    return;
                }
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Looks after everything that was placed, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(_settings.CheckInterval, _time, cancellationToken).ConfigureAwait(false);
            foreach (ReplicatedShare share in _shares.Values)
            {
                try
                {
                    await LookAfterAsync(share, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // one share that cannot be looked after now must not keep the others from it
                    ReplicationLog.NotLookedAfter(_logger, error, share.Root);
                }
            }
        }
    }

    private async Task LookAfterAsync(ReplicatedShare share, CancellationToken cancellationToken)
    {
        await AuditAsync(share, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        await PlaceAsync(share, isRenewal: false, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReplicatedShare> LoadAsync(Cid root, BlockForm form, int target, CancellationToken cancellationToken)
    {
        if (!_shares.TryGetValue(root, out ReplicatedShare? share))
        {
            IReadOnlyList<Run> runs = await new RunPlan((cid, token) => ReadNodeAsync(root, cid, token), leaf => SizeOf(root, leaf), form).CutAsync(root, cancellationToken).ConfigureAwait(false);
            share = new ReplicatedShare(root, [.. runs.Select(run => new RunCopies(run, target))]);
            share.Restore(_receipts.Read(root), Now);
            share = _shares.GetOrAdd(root, share);
        }

        share.SetTarget(target);
        return share;
    }

    private async ValueTask<BlockBuffer> ReadNodeAsync(Cid root, Cid cid, CancellationToken cancellationToken) =>
        await _store.ReadAsync(cid, cancellationToken).ConfigureAwait(false) ?? throw Missing(root, cid);

    private int SizeOf(Cid root, BlockChild leaf) => _store.SizeOf(leaf.Cid) ?? throw Missing(root, leaf.Cid);

    private P2PException Missing(in Cid root, in Cid cid) => new(
        P2PErrorCode.SourceChanged,
        _store.DescribeChange(root, CancellationToken.None) is { } what
            ? $"Copies of the share cannot be made whole. {what}"
            : $"Block {cid.ToShortString()} of the share is not in the data folder any more, so copies cannot be made whole. Share it again.");

    private ReplicationState StateOf(ReplicatedShare share)
    {
        DateTimeOffset utcNow = _time.GetUtcNow();
        List<int> counts = [];
        DateTimeOffset? until = null;
        foreach (RunCopies copies in share.Runs)
        {
            lock (copies)
            {
                counts.Add(copies.Count(_settings.Grace, Now, utcNow));
                if (copies.Until(_settings.Grace, Now, utcNow) is { } first && (until is null || first < until))
                    until = first;
            }
        }

        lock (share.Refusals)
            return new ReplicationState(share.Blocks, share.Runs.Count, counts.Min(), counts.Average(), share.Target, until, new Dictionary<RefusalReason, int>(share.Refusals), counts.Count(count => count >= share.Target));
    }

    private async Task PlaceAsync(ReplicatedShare share, bool isRenewal, DialPurpose purpose, CancellationToken cancellationToken)
    {
        await share.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (share.Refusals)
                share.Refusals.Clear();
            ParallelOptions options = new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(share.Runs, options, async (copies, token) => await _placer.PlaceAsync(share, copies, isRenewal, purpose, () => Now, token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            share.Gate.Release();
        }
    }

    private async Task AuditAsync(ReplicatedShare share, DialPurpose purpose, CancellationToken cancellationToken)
    {
        await share.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _audits.RunAsync(share, purpose, () => Now, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            share.Gate.Release();
        }
    }
}
