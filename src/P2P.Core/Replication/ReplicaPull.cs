using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Exchange;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>Brings the blocks of an offer here with bitswap, over the connection that it came by: verification, back-pressure and resume are those that exist.</summary>
internal sealed class ReplicaPull(BlockStore store, Bitswap bitswap, HeldLeases leases, TimeProvider time)
{
    /// <summary>Blocks asked for at once (count).</summary>
    private const int Window = 16;

    private const int BytesPerCommit = 32 << 20;

    /// <summary>Slower than this on the whole is no progress (bytes a second): whoever drips must not keep a place.</summary>
    private const int LeastRate = 32 << 10;

    /// <summary>What was promised without progress is free again after this.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Which blocks are here and sound: each is read and hashed again. One that the sender may not have is treated as one that is not here.</summary>
    public async Task<bool[]> LookAsync(IReadOnlyList<ReplicaEntry> entries, PeerId sender, CancellationToken cancellationToken)
    {
        bool[] here = new bool[entries.Count];
        for (int i = 0; i < entries.Count; i++)
        {
            if (!store.IsOwned(entries[i].Cid) || !store.MayServe(entries[i].Cid, sender))
                continue;
            using BlockBuffer? block = await store.ReadAsync(entries[i].Cid, cancellationToken).ConfigureAwait(false);
            here[i] = block?.Length == entries[i].Size;
        }

        return here;
    }

    /// <summary>Brings all blocks under a pin with its lease, and flushes.</summary>
    /// <returns>False: a newer lease came meanwhile.</returns>
    /// <exception cref="P2PException">Something is missing, wrong or too late; nothing is kept.</exception>
    public async Task<bool> RunAsync(Connection connection, HeldLease lease, IReadOnlyList<ReplicaEntry> entries, bool[] here, HeldRoom room, CancellationToken cancellationToken)
    {
        using Deadline patience = new(Patience, time, cancellationToken);
        bool isRepair = connection.RemotePeer != lease.Lease.Publisher; // a holder passes it on, whose uplink has other work too
        using Deadline whole = new(Patience + TimeSpan.FromSeconds(lease.Lease.Bytes / LeastRate), time, patience.Token);
        var pin = new Pin { Kind = PinKind.Temporary, Root = lease.Head, Name = $"for {lease.Lease.Publisher.ToShortString()}" };
        PinId id = await store.AddPinAsync(pin, whole.Token).ConfigureAwait(false);
        bool isDone = false;
        try
        {
            BitswapSession session = bitswap.OpenSession(lease.Head, source: null, askStore: false);
            await using (session.ConfigureAwait(false))
            {
                session.AddProvider(connection.RemotePeer);
                using StoreBatch batch = store.BeginBatch(id);
                await LoadAsync(session, batch, entries, here, patience, isRepair ? new RepairPace(time) : null, whole.Token).ConfigureAwait(false);
                isDone = await leases.CommitAsync(batch, pin, lease with { Pin = id }, entries, room, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (patience.IsOver || whole.IsOver)
        {
            throw new P2PException(P2PErrorCode.Unreachable, "The blocks of an offer did not come in time.") { IsTransient = true };
        }
        finally
        {
            if (!isDone)
                await store.RemovePinAsync(id, CancellationToken.None).ConfigureAwait(false);
        }

        foreach (ReplicaEntry entry in isDone ? entries : [])
            bitswap.OnBlockAvailable(entry.Cid);
        return isDone;
    }

    private async Task LoadAsync(BitswapSession session, StoreBatch batch, IReadOnlyList<ReplicaEntry> entries, bool[] here, Deadline patience, RepairPace? pace, CancellationToken cancellationToken)
    {
        Queue<(ReplicaEntry Entry, Task<BlockBuffer> Load)> loads = new();
        int next = 0;
        long inBatch = 0;
        try
        {
            while (true)
            {
                for (; loads.Count < Window && next < entries.Count && pace?.IsSpent != true; next++)
                {
                    if (here[next] && batch.AddExisting(entries[next].Cid))
                        continue;
                    loads.Enqueue((entries[next], session.GetAsync(entries[next].Cid, cancellationToken).AsTask()));
                    pace?.OnAsked(entries[next].Size);
                }

                if (!loads.TryDequeue(out (ReplicaEntry Entry, Task<BlockBuffer> Load) first))
                {
                    if (next == entries.Count)
                        return;
                    await pace!.RestAsync(cancellationToken).ConfigureAwait(false);
                    patience.Restart();
                    continue;
                }

                using BlockBuffer block = await first.Load.ConfigureAwait(false);
                if (block.Length != first.Entry.Size)
                    throw new P2PException(P2PErrorCode.Integrity, $"Block {first.Entry.Cid.ToShortString()} has {block.Length} bytes where its offer says {first.Entry.Size}.");
                await store.MakeRoomAsync(block.Length, cancellationToken).ConfigureAwait(false);
                batch.AddOwned(first.Entry.Cid, block.Span);
                inBatch += block.Length;
                patience.Restart();
                if (inBatch < BytesPerCommit)
                    continue;
                await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
                inBatch = 0;
            }
        }
        finally
        {
            foreach ((_, Task<BlockBuffer> load) in loads)
            {
                _ = load.ContinueWith(static done => { if (done.IsCompletedSuccessfully) done.Result.Dispose(); else _ = done.Exception; }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }
}
