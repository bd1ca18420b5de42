using P2P.Core.Exchange;

namespace P2P.Core.Node;

/// <summary>Decides when a transfer has stood still for too long. Owns no clock: the caller tells the time.</summary>
/// <param name="time">Turns timestamps into durations.</param>
/// <param name="limit">The longest time without one new verified byte.</param>
/// <param name="now">The timestamp at which the transfer begins.</param>
internal sealed class StallWatch(TimeProvider time, TimeSpan limit, long now)
{
    /// <summary>A gap between two looks that only a sleeping machine explains; the clock of the stall begins anew after it.</summary>
    private static readonly TimeSpan Sleep = TimeSpan.FromSeconds(20);

    /// <summary>Shorter pauses are not worth telling.</summary>
    private static readonly TimeSpan WorthTelling = TimeSpan.FromSeconds(1);

    /// <summary>Peers that a sentence names (count).</summary>
    private const int MaxNames = 3;

    private long _verified = -1;
    private long _moved = now;
    private long _looked = now;

    /// <summary>Whether nothing moved for the whole limit.</summary>
    public bool IsOver { get; private set; }

    /// <summary>How long nothing has moved; null when that is too short to tell.</summary>
    public TimeSpan? Duration { get; private set; }

    /// <summary>Looks at how far the transfer is. Anything that grows counts: a block of any kind, or bytes checked on disk.</summary>
    /// <param name="verified">How far it is.</param>
    /// <param name="now">The time.</param>
    /// <param name="isHeldBack">Whether our own limit is what it waits for: a block of 2 MiB may take minutes then, and nobody is to blame.</param>
    public void Look(long verified, long now, bool isHeldBack = false)
    {
        if (verified != _verified || isHeldBack || time.GetElapsedTime(_looked, now) > Sleep)
            (_verified, _moved) = (verified, now);
        _looked = now;
        TimeSpan still = time.GetElapsedTime(_moved, now);
        Duration = still < WorthTelling ? null : still;
        IsOver = still >= limit;
    }

    /// <summary>The failure that ends the transfer, as a sentence: unreachable when somebody is known to have it who does not answer, not found when nobody is.</summary>
    /// <param name="session">How the session stands.</param>
    /// <param name="unreached">Who was named as having it and is not connected.</param>
    /// <param name="attempts">What was tried.</param>
    /// <param name="anythingReceived">Whether any of it came.</param>
    /// <param name="waited">For how long nothing came.</param>
    public static P2PException ToException(SessionStatistics session, IReadOnlyList<PeerId> unreached, IReadOnlyList<DialAttempt> attempts, bool anythingReceived, TimeSpan waited)
    {
        string time = waited.TotalMinutes >= 2 ? $"{waited.TotalMinutes:0} min" : $"{waited.TotalSeconds:0} s";
        (P2PErrorCode code, string message) = session.Stall switch
        {
            SessionStall.NobodyHasIt when unreached.Count > 0 => (P2PErrorCode.Unreachable, $"The peers that answer do not have it, and {NamesOf(unreached)} cannot be reached (waited {time}). Is the sharer online?"),
            SessionStall.NobodyHasIt => (P2PErrorCode.NotFound, $"The peers that answer do not have it (waited {time}). Is it still shared?"),
            SessionStall.NoProviders when anythingReceived => (P2PErrorCode.Unreachable, $"The sharer is gone and nobody else answers who has it (waited {time})."),
            SessionStall.NoProviders when unreached.Count > 0 => (P2PErrorCode.Unreachable, $"Nobody answers who has it: tried {NamesOf(unreached)} (waited {time}). Is the sharer online?"),
            SessionStall.NoProviders => (P2PErrorCode.NotFound, $"No peer is known that has it (waited {time}). The link names no address that could be asked, and neither the DHT nor the local network knows anybody."),
            _ => (P2PErrorCode.Unreachable, $"The peers that have it stopped sending (waited {time})."),
        };
        return new P2PException(code, message) { IsTransient = true, Attempts = attempts };
    }

    private static string NamesOf(IReadOnlyList<PeerId> peers)
    {
        string names = string.Join(", ", peers.Take(MaxNames));
        return peers.Count > MaxNames ? $"{names} and {peers.Count - MaxNames} more" : names;
    }
}
