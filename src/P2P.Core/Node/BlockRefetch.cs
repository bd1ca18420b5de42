using System.Text;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Exchange;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Fetches single blocks of a pin again, from the peers that may have it: those noted with the pin, those given, those connected.</summary>
internal sealed class BlockRefetch(NodeRuntime runtime, RepairOptions options)
{
    /// <summary>Blocks asked for at the same time (count). What nobody has takes a place until it is given up.</summary>
    private const int Window = 64;

    private const int BlocksPerCommit = 32;

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>How long peers that say that they have not got a block are believed to mean it.</summary>
    private static readonly TimeSpan DeniedFor = TimeSpan.FromSeconds(3);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger("P2P.Core.Node");
    private int _next;

    /// <summary>Blocks that came (count).</summary>
    public long Refetched { get; private set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Fetches what can be had; calls back for each block that cannot.</summary>
    /// <param name="pin">Whose blocks they are.</param>
    /// <param name="blocks">What is missing.</param>
    /// <param name="onLost">Told of each block that nobody who answers has.</param>
    /// <param name="onProgress">Told now and then.</param>
    /// <param name="cancellationToken">Ends it; what came stays.</param>
    public async Task FetchAsync(Pin pin, IReadOnlyList<Cid> blocks, Action<Cid> onLost, Action onProgress, CancellationToken cancellationToken)
    {
        BitswapSession session = runtime.Bitswap.OpenSession(pin.Root.IsEmpty ? blocks[0] : pin.Root, runtime.FindProviders(HintsOf(pin)), askStore: false);
        await using (session.ConfigureAwait(false))
        {
            _next = 0;
            while (_next < blocks.Count)
            {
                using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                try
                {
                    await FetchRunAsync(session, pin.Id, blocks, giveUp, onLost, onProgress, cancellationToken).ConfigureAwait(false);
                }
                catch (P2PException error) when (error.Code is P2PErrorCode.Quota or P2PErrorCode.NoSpace)
                {
                    NodeLog.RefetchStopped(_logger, error.Message);
                    while (_next < blocks.Count)
                        onLost(blocks[_next++]);
                }
            }
        }
    }

    /// <summary>Fetches from one block on until all are here or nothing comes any more; what was asked for then is lost.</summary>
    private async Task FetchRunAsync(
        BitswapSession session, PinId pin, IReadOnlyList<Cid> blocks, CancellationTokenSource giveUp, Action<Cid> onLost, Action onProgress, CancellationToken cancellationToken)
    {
        var pending = new List<(Cid Cid, Task<BlockBuffer> Load)>();
        long moved = runtime.Time.GetTimestamp();
        using StoreBatch batch = runtime.Store.BeginBatch(pin);
        try
        {
            while (true)
            {
                for (; pending.Count < Window && _next < blocks.Count; _next++)
                    pending.Add((blocks[_next], session.GetAsync(blocks[_next], giveUp.Token).AsTask()));
                if (pending.Count == 0)
                    break;
                await ((Task)Task.WhenAny(pending.Select(one => (Task)one.Load))).WaitAsync(LookInterval, runtime.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                if (await TakeAsync(pending, batch, cancellationToken).ConfigureAwait(false))
                    moved = runtime.Time.GetTimestamp();
                onProgress();
                if (!IsOver(session, runtime.Time.GetElapsedTime(moved)))
                    continue;

                // When nobody is there at all, the rest need not be asked for.
                if (session.Providers.Count == 0)
                {
                    while (_next < blocks.Count)
                        onLost(blocks[_next++]);
                }
                break;
            }
        }
        finally
        {
            await giveUp.CancelAsync().ConfigureAwait(false);
            foreach ((Cid cid, Task<BlockBuffer> load) in pending)
            {
                await ((Task)load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (load.IsCompletedSuccessfully)
                    (await load.ConfigureAwait(false)).Dispose();
                onLost(cid);
            }
            await batch.CommitAsync(Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<bool> TakeAsync(List<(Cid Cid, Task<BlockBuffer> Load)> pending, StoreBatch batch, CancellationToken cancellationToken)
    {
        bool any = false;
        for (int i = pending.Count - 1; i >= 0; i--)
        {
            (Cid cid, Task<BlockBuffer> load) = pending[i];
            if (!load.IsCompleted)
                continue;
            using BlockBuffer block = await load.ConfigureAwait(false);
            pending.RemoveAt(i);
            await runtime.Store.MakeRoomAsync(block.Length, cancellationToken).ConfigureAwait(false);
            batch.AddOwned(in cid, block.Span);
            Refetched++;
            Bytes += block.Length;
            any = true;
        }
        if (batch.Count >= BlocksPerCommit)
            await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
        return any;
    }

    private bool IsOver(BitswapSession session, TimeSpan still) =>
        still >= options.StallTimeout || (still >= DeniedFor && session.Statistics.Stall == SessionStall.NobodyHasIt);

    private List<PeerHint> HintsOf(Pin pin)
    {
        List<PeerHint> hints = LinkHints.TryDecode(Encoding.ASCII.GetString(pin.Hints.Span), out _, out List<PeerHint> known) ? known : [];
        foreach (Multiaddress address in options.ExtraPeers.Concat(runtime.Settings.BootstrapPeers))
        {
            if (address.PeerId is { } peer)
                LinkHints.Merge(hints, new PeerHint(peer, [address.WithoutPeerId()]));
        }
        return hints;
    }
}
