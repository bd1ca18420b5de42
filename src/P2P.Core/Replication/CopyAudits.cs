using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Store;

namespace P2P.Core.Replication;

/// <summary>
/// Counts the copies of a share by asking its holders for proofs, holder by holder: a few of the runs that each has, drawn anew each time. Who proves them is
/// believed the rest; who is silent is silent for all; who fails twice has lied about all.
/// </summary>
internal sealed class CopyAudits(BlockStore store, ReplicaClient client, KeptReceipts receipts, HolderTrust trust, ILogger logger)
{
    /// <summary>Runs that one holder is asked about at once (count): below what a holder allows.</summary>
    private const int RunsPerHolder = 24;

    /// <summary>Holders asked in parallel (count).</summary>
    private const int Parallelism = 8;

    /// <summary>Asks every holder of a share.</summary>
    /// <param name="share">The share; nobody else changes it meanwhile.</param>
    /// <param name="purpose">Whether somebody waits for it.</param>
    /// <param name="now">The time since the start.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(ReplicatedShare share, DialPurpose purpose, Func<TimeSpan> now, CancellationToken cancellationToken)
    {
        Dictionary<PeerId, List<(RunCopies Run, Copy Copy)>> byHolder = [];
        foreach (RunCopies copies in share.Runs)
        {
            lock (copies)
            {
                foreach (Copy copy in copies.All)
                {
                    if (!byHolder.TryGetValue(copy.Holder.Peer, out List<(RunCopies, Copy)>? its))
                        byHolder[copy.Holder.Peer] = its = [];
                    its.Add((copies, copy));
                }
            }
        }

        ParallelOptions options = new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(byHolder.Values, options, async (copies, token) => await AskAsync(share.Root, copies, purpose, now, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task AskAsync(Cid root, List<(RunCopies Run, Copy Copy)> copies, DialPurpose purpose, Func<TimeSpan> now, CancellationToken cancellationToken)
    {
        PeerId holder = copies[0].Copy.Holder.Peer;
        List<RunCopies> missing = [];
        bool hasProved = false;
        foreach ((RunCopies run, Copy copy) in Draw(copies))
        {
            if (ReplicaEntry.Draw(run.Run.Entries) is not { } entry)
                continue;
            using BlockBuffer? block = await store.ReadAsync(entry.Cid, cancellationToken).ConfigureAwait(false);
            if (block is null)
                continue; // gone here: who has it cannot be told from who has not
            bool isPlain = trust.DrawPlain(holder), isProved;
            try
            {
                isProved = await client.AuditAsync(copy.Holder, entry.Cid, block, isPlain, purpose, cancellationToken).ConfigureAwait(false) == AuditOutcome.Proved;
            }
            catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
            {
                OnSilence(copies, holder, now());
                ReplicationLog.CopyLost(logger, holder, run.Run.Key, UntrustedText.Clean(error.Message));
                return;
            }

            hasProved |= isProved;
            if (!isProved)
                missing.Add(run);
            if (trust.OnChecked(holder, isPlain, isProved))
                continue;
            missing = [.. copies.Select(static one => one.Run)];
            hasProved = false;
            break;
        }

        foreach (RunCopies run in missing)
        {
            lock (run)
                run.OnLie(holder);
            ReplicationLog.CopyLost(logger, holder, run.Run.Key, "it answers, and does not have it");
            await receipts.ForgetAsync(root, run.Run.Key, holder, cancellationToken).ConfigureAwait(false);
        }

        if (!hasProved)
            return;
        foreach ((RunCopies run, _) in copies)
        {
            lock (run)
                run.OnProof(holder, now());
        }
    }

    private static void OnSilence(List<(RunCopies Run, Copy Copy)> copies, PeerId holder, TimeSpan now)
    {
        foreach ((RunCopies one, _) in copies)
        {
            lock (one)
                one.OnSilence(holder, now);
        }
    }

    private static (RunCopies Run, Copy Copy)[] Draw(List<(RunCopies, Copy)> copies)
    {
        (RunCopies, Copy)[] drawn = [.. copies];
        RandomNumberGenerator.Shuffle<(RunCopies, Copy)>(drawn);
        return drawn[..Math.Min(RunsPerHolder, drawn.Length)];
    }
}
