namespace P2P.Core.Nat;

/// <summary>Tells from the seconds that a router counts whether it has lost its mappings (RFC 6886, 3.6; RFC 6887, 8.5). A plain state machine.</summary>
internal sealed class GatewayEpoch(TimeProvider time)
{
    /// <summary>A router's clock may be slower than ours by an eighth, and answers take time.</summary>
    private const double LeastPace = 7.0 / 8;

    private const double Tolerance = 2; // s

    /// <summary>Below this a second start cannot be told from a clock that is off (s).</summary>
    private const int TooYoung = 60;

    private (uint Seconds, long At)? _last;

    /// <summary>Whether the router began so lately that it may have begun twice since the answer before, and nobody could tell.</summary>
    public bool IsYoung => _last is { Seconds: < TooYoung };

    /// <summary>Notes what an answer says.</summary>
    /// <returns>Whether the router has begun anew since the answer before.</returns>
    public bool Observe(uint seconds)
    {
        bool isAnew = _last is { } last && seconds < last.Seconds + (time.GetElapsedTime(last.At).TotalSeconds * LeastPace) - Tolerance;
        _last = (seconds, time.GetTimestamp());
        return isAnew;
    }
}
