namespace P2P.Core.Nat;

/// <summary>How often peers may have us dial: in a sliding minute, all together and each. A plain state machine.</summary>
internal sealed class AutoNatLimits(TimeProvider time)
{
    /// <summary>Requests a minute (count): of all, of one peer, and such that dial an address we do not see it at.</summary>
    public const int PerMinute = 60, PerPeer = 12, WithData = 12;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new(); // guards the queues
    private readonly Queue<(PeerId Peer, long At)> _requests = [];
    private readonly Queue<long> _withData = [];

    /// <summary>Whether a request of the peer is taken; it counts then.</summary>
    public bool TryTake(PeerId peer)
    {
        lock (_gate)
        {
            while (_requests.TryPeek(out (PeerId, long At) oldest) && time.GetElapsedTime(oldest.At) >= Window)
                _requests.Dequeue();
            if (_requests.Count >= PerMinute || _requests.Count(request => request.Peer == peer) >= PerPeer)
                return false;
            _requests.Enqueue((peer, time.GetTimestamp()));
            return true;
        }
    }

    /// <summary>Whether a dial to an address other than the one we see is made; it counts then.</summary>
    public bool TryTakeWithData()
    {
        lock (_gate)
        {
            while (_withData.TryPeek(out long oldest) && time.GetElapsedTime(oldest) >= Window)
                _withData.Dequeue();
            if (_withData.Count >= WithData)
                return false;
            _withData.Enqueue(time.GetTimestamp());
            return true;
        }
    }
}
