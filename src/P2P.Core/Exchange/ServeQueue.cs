using System.Diagnostics.CodeAnalysis;

namespace P2P.Core.Exchange;

/// <summary>
/// Whose turn it is to be served: deficit round robin, so that peers get equal bytes and not equal numbers of blocks, with at most one turn in
/// progress for each peer and a bound on the bytes in progress for all.
/// </summary>
internal sealed class ServeQueue(long maxBytes)
{
    /// <summary>What a peer may be sent in one turn (bytes): the budget of outgoing data for a peer.</summary>
    public const int TurnBytes = 1 << 20;

    /// <summary>What a peer may save up (bytes): the largest block fits after two turns.</summary>
    private const int MaxCreditBytes = 2 * TurnBytes;

    private readonly Queue<ServeTurn> _waiting = [];
    private long _bytesInProgress;

    /// <summary>Turns in progress.</summary>
    public int InProgress { get; private set; }

    /// <summary>Peers that wait for their turn.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>The peer has something to be answered. May be said any number of times.</summary>
    public void OnWork(ServeTurn peer)
    {
        peer.HasWork = true;
        if (!peer.IsInProgress && !peer.IsWaiting)
            Enqueue(peer);
    }

    /// <summary>Begins the next turn, if someone waits and the bytes in progress allow it.</summary>
    public bool TryBegin([NotNullWhen(true)] out ServeTurn? peer)
    {
        peer = null;
        while (_bytesInProgress + MaxCreditBytes <= Math.Max(maxBytes, MaxCreditBytes) && _waiting.TryDequeue(out ServeTurn? next))
        {
            next.IsWaiting = false;
            if (next.IsGone)
                continue;
            next.IsInProgress = true;
            next.HasWork = false;
            next.CreditBytes = Math.Min(next.CreditBytes + TurnBytes, MaxCreditBytes);
            next.ReservedBytes = next.CreditBytes;
            _bytesInProgress += next.ReservedBytes;
            InProgress++;
            peer = next;
            return true;
        }

        return false;
    }

    /// <summary>The turn is over.</summary>
    /// <param name="peer">Whose turn it was.</param>
    /// <param name="sentBytes">Bytes of blocks sent.</param>
    /// <param name="hasMore">Whether wants of it are left.</param>
    public void End(ServeTurn peer, int sentBytes, bool hasMore)
    {
        InProgress--;
        _bytesInProgress -= peer.ReservedBytes;
        peer.ReservedBytes = 0;
        peer.IsInProgress = false;
        bool again = hasMore || peer.HasWork;
        // who has nothing to be sent saves nothing up
        peer.CreditBytes = again ? Math.Max(peer.CreditBytes - sentBytes, 0) : 0;
        if (again && !peer.IsGone)
            Enqueue(peer);
    }

    private void Enqueue(ServeTurn peer)
    {
        peer.IsWaiting = true;
        _waiting.Enqueue(peer);
    }
}

/// <summary>A peer's place in the queue.</summary>
internal class ServeTurn
{
    /// <summary>What it may be sent now (bytes).</summary>
    public int CreditBytes { get; set; }

    /// <summary>What its turn takes of the bound on bytes in progress.</summary>
    public int ReservedBytes { get; set; }

    public bool IsInProgress { get; set; }

    public bool IsWaiting { get; set; }

    /// <summary>New work came during its turn.</summary>
    public bool HasWork { get; set; }

    /// <summary>The peer is no longer connected; its place is skipped.</summary>
    public bool IsGone { get; set; }
}
