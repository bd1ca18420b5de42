using System.Security.Cryptography;

namespace P2P.Core.Replication;

/// <summary>
/// What is believed of other holders, by the checks that they passed. A check is an audit, or now and then a plain want, so that it does not help to answer
/// auditors alone. Who fails one has to give a block next; who fails that too has lied: for a day nothing of theirs counts and nothing is given to them, and
/// then they have to give a block first. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="draw">Draws a number below another; null: from the system's secure source, not to be foreseen.</param>
internal sealed class HolderTrust(TimeProvider time, Func<int, int>? draw = null)
{
    /// <summary>How long a lie is remembered.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(24);

    /// <summary>Holders remembered (count); one more, and the one that was checked longest ago goes.</summary>
    private const int MaxRemembered = 4096;

    /// <summary>One check in so many is a plain want on average, and one in twice as many at least.</summary>
    private const int PlainOneIn = 10;

    private readonly OrderedDictionary<PeerId, Standing> _standings = [];
    private readonly Func<int, int> _draw = draw ?? RandomNumberGenerator.GetInt32;

    /// <summary>Whether its word counts.</summary>
    public bool IsTrusted(PeerId holder)
    {
        lock (_standings)
            return !_standings.TryGetValue(holder, out Standing standing) || standing.IgnoredUntil <= time.GetUtcNow();
    }

    /// <summary>Whether the next check has to be a plain want.</summary>
    public bool DrawPlain(PeerId holder)
    {
        lock (_standings)
        {
            return _standings.TryGetValue(holder, out Standing standing) && (standing.IsSuspect || standing.SincePlain >= (2 * PlainOneIn) - 1)
                || _draw(PlainOneIn) == 0;
        }
    }

    /// <summary>It has passed a check, or not.</summary>
    /// <returns>False: it has lied, and is ignored from now on.</returns>
    public bool OnChecked(PeerId holder, bool isPlain, bool isPassed)
    {
        lock (_standings)
        {
            _standings.Remove(holder, out Standing standing);
            if (isPassed)
                standing = isPlain ? standing with { IsSuspect = false, SincePlain = 0 } : standing with { SincePlain = standing.SincePlain + 1 };
            else if (standing.IsSuspect)
                standing = standing with { IgnoredUntil = time.GetUtcNow() + Memory };
            else
                standing = standing with { IsSuspect = true };
            if (_standings.Count >= MaxRemembered)
                _standings.RemoveAt(0);
            _standings.Add(holder, standing);
            return standing.IgnoredUntil <= time.GetUtcNow();
        }
    }

    private readonly record struct Standing(DateTimeOffset IgnoredUntil, bool IsSuspect, int SincePlain);
}
