namespace P2P.Core.Replication;

/// <summary>Holders that could not prove what they claimed: for a day nothing of theirs counts and nothing is given to them. Thread-safe.</summary>
internal sealed class HolderTrust(TimeProvider time)
{
    /// <summary>Holders remembered (count); one more, and the one that would be forgotten first goes.</summary>
    private const int MaxRemembered = 4096;

    /// <summary>How long a lie is remembered.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(24);

    private readonly Dictionary<PeerId, DateTimeOffset> _until = [];

    /// <summary>Whether its word counts.</summary>
    public bool IsTrusted(PeerId holder)
    {
        lock (_until)
            return !_until.TryGetValue(holder, out DateTimeOffset until) || until <= time.GetUtcNow();
    }

    /// <summary>It could not prove what it claimed.</summary>
    public void OnLie(PeerId holder)
    {
        lock (_until)
        {
            if (_until.Count >= MaxRemembered && !_until.ContainsKey(holder))
                _until.Remove(_until.MinBy(static one => one.Value).Key);
            _until[holder] = time.GetUtcNow() + Memory;
        }
    }
}
