using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Identity;
using P2P.Core.Replication;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Replication as the node runs it: holds for others when it offers disk, and has copies of its shares kept, also those of earlier runs.</summary>
internal sealed class Replicating : IAsyncDisposable
{
    private readonly NodeRuntime _runtime;
    private readonly ReplicaHolder _holder;
    private readonly HolderUpkeep? _upkeep;
    private readonly Replicator _replicator;
    private readonly CopySurvey _survey;
    private readonly ReplicaTargets _targets;
    private readonly ILogger _logger;

    public Replicating(NodeRuntime runtime, IdentityKey identity, HolderNetwork network, NodeSettings settings, NodeSeams seams)
    {
        _runtime = runtime;
        _targets = new ReplicaTargets(runtime.Store);
        _logger = seams.Loggers.CreateLogger("P2P.Core.Node");
        Network = network;
        var how = new ReplicationSettings { Grace = settings.Grace, CheckInterval = settings.CheckInterval, DelayedRepairWait = settings.DelayedRepairWait, LeaseDuration = settings.LeaseDuration };
        var client = new ReplicaClient(runtime.Connections, runtime.Bitswap, identity, how, settings.Network, seams.Time);
        _replicator = new Replicator(runtime.Store, identity, network, client, how, settings.Network, seams.Time, seams.Loggers);
        ILogger logger = seams.Loggers.CreateLogger("P2P.Core.Replication");
        _survey = new CopySurvey(network, client, seams.Time, logger);
        var offer = new HolderSettings { OfferBytes = settings.OfferBytes, Audience = settings.OfferAudience, Admitted = settings.OfferAdmitted, OnLink = runtime.OnLink, CheckInterval = settings.CheckInterval, Denied = runtime.Denied };
        _holder = new ReplicaHolder(runtime.Connections, runtime.Store, runtime.Bitswap, identity, network, offer, settings.Network, runtime.Announcing.Enqueue, seams.Time, seams.Loggers);
        if (network.IsMember)
            _upkeep = new HolderUpkeep(_holder, runtime.Store, identity.PeerId, network, client, how, seams.Time, logger);
    }

    /// <summary>Where holders are.</summary>
    public HolderNetwork Network { get; }

    /// <summary>What is held for others.</summary>
    public IReadOnlyList<HeldLease> Held => _holder.Leases.All;

    /// <summary>Starts to hold, when disk is offered.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Network.Start();
        await _holder.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Everything that it does by itself.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Network.RunAsync(cancellationToken), _holder.RunAsync(cancellationToken), _upkeep?.RunAsync(cancellationToken) ?? Task.CompletedTask, _replicator.RunAsync(cancellationToken), ResumeAsync(cancellationToken));

    /// <summary>Has copies of a share kept, now and in later runs.</summary>
    public async Task<HealthReport> ReplicateAsync(Pin pin, int target, CancellationToken cancellationToken)
    {
        await _runtime.Dht.EnterAsync(cancellationToken).ConfigureAwait(false);
        await _targets.SetAsync(pin.Root, target, cancellationToken).ConfigureAwait(false);
        return ToReport(pin.Root, await PlaceAsync(pin, target, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Counts the copies of a share by asking holders now: of an own share those that gave a receipt, of another those closest to each run.</summary>
    public async Task<HealthReport> CheckAsync(ShareLink link, ReadOptions options, CancellationToken cancellationToken)
    {
        await _runtime.Dht.EnterAsync(cancellationToken).ConfigureAwait(false);
        if (FindShare(link.Root) is { } pin && _targets.Find(link.Root) is { } target)
            return ToReport(link.Root, await WithFormAsync(pin, form => _replicator.CheckAsync(link.Root, form, target, cancellationToken)).ConfigureAwait(false));
        using ShareSecret? secret = ShareSecret.Of(link);
        ReadLease lease = new Fetching(_runtime).Lease(link, options);
        await using (lease.ConfigureAwait(false))
        {
            var plan = new RunPlan(lease.Direct.GetAsync, static leaf => (int)Math.Clamp(leaf.Bytes, 1, RunCutter.MaxRunBytes), ShareSecret.FormOf(secret, _runtime.Buffers));
            return ToReport(link.Root, await _survey.RunAsync(await plan.CutAsync(link.Root, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Renews the leases on a share.</summary>
    public async Task<HealthReport> RenewAsync(Cid root, CancellationToken cancellationToken)
    {
        if (FindShare(root) is not { } pin || _targets.Find(root) is not { } target)
            throw new P2PException(P2PErrorCode.NotFound, $"{root} was not shared from here with replicas: only the node that asked for the copies can renew them.");
        await _runtime.Dht.EnterAsync(cancellationToken).ConfigureAwait(false);
        return ToReport(root, await PlaceAsync(pin, target, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Tells the holders that a share has ended.</summary>
    public Task ReleaseAsync(Cid root, CancellationToken cancellationToken) => _replicator.ReleaseAsync(root, cancellationToken);

    /// <summary>Whether a held run has a block.</summary>
    public bool Has(HeldLease held, in Cid block)
    {
        MultihashKey key = block.Key;
        return held.Head.Key == key || _holder.Leases.EntriesOf(held).Any(entry => entry.Cid.Key == key);
    }

    /// <summary>Deletes what is held for a publisher, or one run, lease or not: it is the operator's disk.</summary>
    /// <returns>Bytes let go of.</returns>
    public async Task<long> DropAsync(Func<HeldLease, bool> which, CancellationToken cancellationToken)
    {
        long bytes = 0;
        foreach (HeldLease held in Held.Where(which))
            bytes += await _holder.Leases.EndAsync(held, held.Lease.Sequence, held.Envelope, cancellationToken).ConfigureAwait(false) ? held.Lease.Bytes : 0;
        _runtime.Garbage.Signal();
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await Network.DisposeAsync().ConfigureAwait(false);
        _holder.Dispose();
    }

    private Task<ReplicationState> PlaceAsync(Pin pin, int target, CancellationToken cancellationToken) =>
        WithFormAsync(pin, form => _replicator.ReplicateAsync(pin.Root, form, target, cancellationToken));

    private async Task<ReplicationState> WithFormAsync(Pin pin, Func<BlockForm, Task<ReplicationState>> work)
    {
        using ShareSecret? secret = pin.WrappedKey.IsEmpty ? null : ShareSecret.Unwrap(_runtime.ShareKeys, pin.WrappedKey)
            ?? throw new P2PException(P2PErrorCode.Store, $"The key of the private share '{pin.Name}' cannot be unwrapped: the identity of this node is not the one that shared it.");
        return await work(ShareSecret.FormOf(secret, _runtime.Buffers)).ConfigureAwait(false);
    }

    private Pin? FindShare(Cid root) => _runtime.Store.GetPins().FirstOrDefault(pin => pin.Kind == PinKind.Shared && pin.Root == root);

    /// <summary>Takes up what earlier runs had placed: who has it proves it, and others take the places of those that are gone.</summary>
    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (_runtime.Dht.Own is not { } dht)
            return;
        await dht.HasContact.WaitAsync(cancellationToken).ConfigureAwait(false);
        foreach (Pin pin in _runtime.Store.GetPins().Where(static pin => pin.Kind == PinKind.Shared))
        {
            if (_targets.Find(pin.Root) is not { } target)
                continue;
            try
            {
                await WithFormAsync(pin, form => _replicator.ResumeAsync(pin.Root, form, target, cancellationToken)).ConfigureAwait(false);
            }
            catch (P2PException error)
            {
                NodeLog.Warned(_logger, error.Message);
            }
        }
    }

    private static HealthReport ToReport(Cid root, ReplicationState state) =>
        new(root, state.Blocks, state.Runs, state.MinCopies, state.AverageCopies, state.Target, state.Until)
        {
            RunsAtTarget = state.RunsAtTarget,
            Refusals = state.Refusals.ToDictionary(static one => Describe(one.Key), static one => one.Value, StringComparer.Ordinal),
        };

    private static string Describe(RefusalReason reason) => reason switch
    {
        RefusalReason.Full => "full",
        RefusalReason.TooFar => "too far",
        RefusalReason.LeaseTooLong => "the lease is too long",
        RefusalReason.TooBig => "a block is too big",
        RefusalReason.Policy => "does not hold for this publisher",
        _ => "the offer is not valid there",
    };
}
