using System.Net;

namespace P2P.Core.Connections;

/// <summary>
/// Whom to leave alone for a while: peers that could not be reached (for background work only), and IP addresses where handshakes fail
/// whatever peer was expected, or that were dialed often in vain, so that false records cannot aim our dials at a stranger. Bounded, the oldest entry goes
/// first. Thread-safe.
/// </summary>
internal sealed class DialBackoff(TimeProvider time, Random random, int maxEntries = 10_000)
{
    /// <summary>Failed handshakes with one IP address that are taken for bad luck (count).</summary>
    public const int MaxHandshakeFailures = 3;

    /// <summary>How long a failed handshake counts.</summary>
    public static readonly TimeSpan HandshakeFailureWindow = TimeSpan.FromMinutes(10);

    /// <summary>Dials of one IP address within a minute that did not reach the peer expected there (count), those under way included.</summary>
    public const int MaxDialsInVain = 6;

    /// <summary>The pause after a peer's first failure; it doubles with each further one.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);

    /// <summary>The longest pause.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new(); // guards everything below
    private readonly OrderedDictionary<PeerId, (int Failures, long At, TimeSpan Pause)> _peers = [];
    private readonly OrderedDictionary<IPAddress, List<long>> _addresses = [];
    private readonly OrderedDictionary<IPAddress, List<long>> _dials = [];

    /// <summary>How much longer background work leaves the peer alone.</summary>
    public TimeSpan RemainingFor(PeerId peer)
    {
        lock (_gate)
        {
            if (!_peers.TryGetValue(peer, out (int Failures, long At, TimeSpan Pause) entry))
            {
                return TimeSpan.Zero;
            }

            TimeSpan left = entry.Pause - time.GetElapsedTime(entry.At);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>The peer could not be reached at any address.</summary>
    public void OnPeerFailed(PeerId peer)
    {
        lock (_gate)
        {
            int failures = _peers.TryGetValue(peer, out (int Failures, long At, TimeSpan Pause) entry) ? Math.Min(entry.Failures + 1, 20) : 1;
            TimeSpan pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << (failures - 1), MaxPause.Ticks));
            pause *= 1 + (random.NextDouble() * 0.25); // so that many peers that failed together are not tried together
            _peers.Remove(peer);
            Trim(_peers);
            _peers.Add(peer, (failures, time.GetTimestamp(), pause));
        }
    }

    /// <summary>The peer was reached.</summary>
    public void OnPeerReached(PeerId peer)
    {
        lock (_gate)
        {
            _peers.Remove(peer);
        }
    }

    /// <summary>Something answered at the address, but not with the handshake of the peer expected.</summary>
    public void OnHandshakeFailed(IPAddress address)
    {
        lock (_gate)
        {
            if (!_addresses.Remove(address, out List<long>? failures))
            {
                failures = [];
            }

            if (failures.Count == MaxHandshakeFailures)
            {
                failures.RemoveAt(0);
            }

            failures.Add(time.GetTimestamp());
            Trim(_addresses);
            _addresses.Add(address, failures);
        }
    }

    /// <summary>Whether the address is left alone.</summary>
    public bool IsHeldBack(IPAddress address)
    {
        lock (_gate)
        {
            return _addresses.TryGetValue(address, out List<long>? failures)
                && failures.Count == MaxHandshakeFailures
                && time.GetElapsedTime(failures[0]) < HandshakeFailureWindow;
        }
    }

    /// <summary>Notes a dial of an address that others told of. False: it was dialed in vain too often within the last minute, and is to be left alone.</summary>
    public bool TryBegin(IPAddress address)
    {
        lock (_gate)
        {
            if (!_dials.Remove(address, out List<long>? dials))
            {
                dials = [];
            }

            dials.RemoveAll(at => time.GetElapsedTime(at) >= TimeSpan.FromMinutes(1));
            bool isFree = dials.Count < MaxDialsInVain;
            if (isFree)
            {
                dials.Add(time.GetTimestamp());
            }

            Trim(_dials);
            _dials.Add(address, dials);
            return isFree;
        }
    }

    /// <summary>A dial that was noted has reached the peer expected: it was not in vain. One address may have many peers.</summary>
    public void OnReached(IPAddress address)
    {
        lock (_gate)
        {
            if (_dials.TryGetValue(address, out List<long>? dials) && dials.Count > 0)
            {
                dials.RemoveAt(dials.Count - 1);
            }
        }
    }

    private void Trim<TKey, TValue>(OrderedDictionary<TKey, TValue> entries)
        where TKey : notnull
    {
        while (entries.Count >= maxEntries)
        {
            entries.RemoveAt(0);
        }
    }
}
