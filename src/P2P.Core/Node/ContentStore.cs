using System.Runtime.CompilerServices;
using P2P.Core.Node;
using P2P.Core.Replication;

namespace P2P.Core;

/// <summary>What a node's data folder keeps: pins, collection, archives, usage.</summary>
public sealed partial class ContentStore
{
    private readonly NodeRuntime _runtime;

    internal ContentStore(NodeRuntime runtime) => _runtime = runtime;

    /// <summary>Keeps all blocks of some content until it is unpinned. What is missing is fetched into the store; what is here already, also in a file that is
    /// shared, is not copied. The same call again goes on where an earlier one ended.</summary>
    /// <param name="link">What to keep; with a path in it only that part.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second plus the last.</param>
    /// <param name="cancellationToken">Ends it at a block boundary; what is verified stays.</param>
    /// <exception cref="P2PException">Nobody has it, it did not verify, or there is no room.</exception>
    public Task<PinnedContent> PinAsync(ShareLink link, PinOptions? options = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        return new Pinning(_runtime).PinAsync(link, options ?? new PinOptions(), progress, cancellationToken);
    }

    /// <summary>Lets go of what <see cref="PinAsync"/> kept; blocks that nothing else keeps are freed in an idle time or by <see cref="CollectGarbageAsync"/>. Shares stay.</summary>
    /// <returns>Whether it was pinned.</returns>
    public Task<bool> UnpinAsync(Cid root, CancellationToken cancellationToken = default) => new Pinning(_runtime).UnpinAsync(root, cancellationToken);

    /// <summary>Everything that is kept and why, oldest first: pins, shares, seeds, replicas, work in progress.</summary>
    /// <param name="cancellationToken">Ends the listing.</param>
    public async IAsyncEnumerable<PinnedContent> GetPinsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (PinnedContent pin in await Task.Run(() => new Pinning(_runtime).GetPins().ToList(), cancellationToken).ConfigureAwait(false))
            yield return pin;
    }

    /// <summary>Removes the blocks that nothing keeps, in slices beside everything else, and what a crash left. A node does so itself in idle times.</summary>
    /// <param name="cancellationToken">Ends it; what is removed stays removed.</param>
    /// <exception cref="P2PException">The index or the disk failed.</exception>
    public Task<GarbageReport> CollectGarbageAsync(CancellationToken cancellationToken = default) => _runtime.Garbage.CollectAsync(cancellationToken);

    /// <summary>Reads everything that is kept and hashes it, at the speed of the disk and on all cores: blocks in the store, and what is shared of your files.
    /// Changes nothing; transfers go on meanwhile.</summary>
    /// <param name="progress">Told how far it is, at most 10 times a second, on the thread that enumerates.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What was found, as it is found; nothing when all is well.</returns>
    public async IAsyncEnumerable<StoreFinding> VerifyAsync(IProgress<VerifyProgress>? progress = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (StoreFinding finding in _runtime.Store.VerifyAsync(progress, cancellationToken).ConfigureAwait(false))
            yield return finding;
    }

    /// <summary>Mends the store: places whose bytes are wrong are taken out of service, what no other place on this machine has is asked for among peers, and what
    /// nobody has is told. After the index was rebuilt, pins and shares get their blocks again. Your own files are read and never changed.</summary>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="progress">Told how far it is, at most 10 times a second.</param>
    /// <param name="cancellationToken">Ends it; what was mended stays.</param>
    /// <exception cref="P2PException">The index or the disk failed.</exception>
    public Task<RepairReport> RepairAsync(RepairOptions? options = null, IProgress<RepairProgress>? progress = null, CancellationToken cancellationToken = default) =>
        new Repairing(_runtime, options ?? new RepairOptions(), progress).RepairAsync(cancellationToken);

    /// <summary>What is kept for others, see <see cref="ReplicationOptions.OfferBytes"/>.</summary>
    public IReadOnlyList<HeldReplica> GetReplicas() =>
        [.. Held.Select(static held => new HeldReplica(held.Lease.Publisher, held.Head, held.Lease.Bytes, held.Lease.Count, held.Lease.Until))];

    /// <summary>Deletes what is kept for a publisher, asked for or not: it is this node's disk. It is not taken again until the publisher asks anew.</summary>
    /// <returns>Bytes that are not kept for it any more.</returns>
    /// <exception cref="P2PException">The index or the disk failed.</exception>
    public Task<long> RemoveReplicasAsync(PeerId publisher, CancellationToken cancellationToken = default) => DropAsync(held => held.Lease.Publisher == publisher, cancellationToken);

    /// <summary>Deletes every group of blocks kept for others that a block is part of. See <see cref="RemoveReplicasAsync(PeerId, CancellationToken)"/>.</summary>
    /// <inheritdoc cref="RemoveReplicasAsync(PeerId, CancellationToken)"/>
    public Task<long> RemoveReplicasAsync(Cid block, CancellationToken cancellationToken = default) => DropAsync(held => _runtime.Replicating!.Has(held, in block), cancellationToken);

    /// <summary>What the store holds, from counters: as quick for a million blocks as for one.</summary>
    /// <param name="cancellationToken">Ends the counting.</param>
    public Task<StoreUsage> GetUsageAsync(CancellationToken cancellationToken = default) => Task.Run(_runtime.Store.GetUsage, cancellationToken);

    private IReadOnlyList<HeldLease> Held => _runtime.Replicating?.Held ?? [];

    private Task<long> DropAsync(Func<HeldLease, bool> which, CancellationToken cancellationToken) =>
        _runtime.Replicating is { } replicating ? replicating.DropAsync(which, cancellationToken) : Task.FromResult(0L);
}
