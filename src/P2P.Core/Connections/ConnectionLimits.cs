using System.Net;

namespace P2P.Core.Connections;

/// <summary>What the limits need to know of a connection.</summary>
/// <param name="IsOutbound">Whether we dialed it.</param>
/// <param name="Address">The other end; null when it has no IP address.</param>
/// <param name="IdleFor">How long nobody has used it; null while somebody does.</param>
internal readonly record struct ConnectionFacts(bool IsOutbound, IPAddress? Address, TimeSpan? IdleFor);

/// <summary>What becomes of a new connection: taken, taken in the place of another, or refused.</summary>
/// <param name="Evict">The index of the one to close, or -1.</param>
/// <param name="Refusal">Why it is refused, or null.</param>
internal readonly record struct Admission(int Evict, string? Refusal);

/// <summary>Decides who may be connected when places are short.</summary>
internal static class ConnectionLimits
{
    /// <summary>A connection unused for less than this is not idle: it may just be about to be used.</summary>
    public static readonly TimeSpan MinIdle = TimeSpan.FromSeconds(1);

    /// <summary>Judges a new connection against those that are open.</summary>
    public static Admission Judge(in ConnectionFacts candidate, IReadOnlyList<ConnectionFacts> open, ConnectionOptions options)
    {
        int inbound = 0, sameAddress = 0;
        foreach (ConnectionFacts other in open)
        {
            inbound += other.IsOutbound ? 0 : 1;
            sameAddress += !other.IsOutbound && candidate.Address is not null && candidate.Address.Equals(other.Address) ? 1 : 0;
        }

        if (!candidate.IsOutbound)
        {
            if (candidate.Address is not null && !IPAddress.IsLoopback(candidate.Address) && sameAddress >= options.MaxConnectionsPerAddress)
            {
                return new Admission(-1, "too many connections from this address");
            }

            if (inbound >= options.MaxInboundConnections || open.Count >= options.MaxConnections)
            {
                return Evict(open, inboundOnly: true);
            }
        }
        else if (open.Count >= options.MaxConnections)
        {
            return Evict(open, inboundOnly: false);
        }

        return new Admission(-1, null);
    }

    /// <summary>The longest idle one of the address that has most: who comes with many connections pays first.</summary>
    private static Admission Evict(IReadOnlyList<ConnectionFacts> open, bool inboundOnly)
    {
        Dictionary<IPAddress, int> perAddress = [];
        foreach (ConnectionFacts other in open)
        {
            if (other.Address is not null)
            {
                perAddress[other.Address] = perAddress.GetValueOrDefault(other.Address) + 1;
            }
        }

        int victim = -1;
        (int Shared, TimeSpan Idle) worst = default;
        for (int i = 0; i < open.Count; i++)
        {
            ConnectionFacts other = open[i];
            if (other.IdleFor is not { } idle || idle < MinIdle || (inboundOnly && other.IsOutbound))
            {
                continue;
            }

            (int Shared, TimeSpan Idle) rank = (other.Address is null ? 1 : perAddress[other.Address], idle);
            if (victim < 0 || rank.CompareTo(worst) > 0)
            {
                victim = i;
                worst = rank;
            }
        }

        return victim < 0 ? new Admission(-1, "all places are in use") : new Admission(victim, null);
    }
}
