using System.Runtime.CompilerServices;
using System.Threading.Channels;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Exchange;

namespace P2P.Core.Node;

/// <summary>
/// Providers that the user named: the peers in a link and those given beside it. All are dialed at the same time; each is handed on as soon
/// as it answers. Whoever is connected already is asked by the session itself.
/// </summary>
internal sealed class HintProviders(ConnectionPool pool, IReadOnlyList<PeerHint> firstHints) : IProviderSource
{
    private const int MaxAttempts = 32;
    private const int MaxHints = 64; // what one session can ask

    private readonly Lock _gate = new(); // guards _attempts and changes of _hints
    private readonly Dictionary<string, DialAttempt> _attempts = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<PeerHint> _hints = firstHints;

    public IReadOnlyList<DialAttempt> Attempts
    {
        get
        {
            lock (_gate)
                return [.. _attempts.Values];
        }
    }

    public IReadOnlyCollection<PeerId> Named => [.. _hints.Select(static hint => hint.Peer)];

    /// <summary>Takes more hints in; returns those that say something new.</summary>
    public IReadOnlyList<PeerHint> Add(IReadOnlyList<PeerHint> more)
    {
        lock (_gate)
        {
            var all = _hints.ToDictionary(hint => hint.Peer);
            var added = new List<PeerHint>();
            foreach (PeerHint hint in more)
            {
                PeerHint? known = all.GetValueOrDefault(hint.Peer);
                PeerHint merged = known is null ? hint : new PeerHint(hint.Peer, [.. known.Addresses.Union(hint.Addresses)]);
                if (known is null ? all.Count >= MaxHints : merged.Addresses.Count == known.Addresses.Count)
                    continue;
                all[hint.Peer] = merged;
                added.Add(merged);
            }

            if (added.Count > 0)
                _hints = [.. all.Values];
            return added;
        }
    }

    public async IAsyncEnumerable<PeerId> FindAsync(Cid root, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = Channel.CreateUnbounded<PeerId>(); // bounded by the hints
        Task dials = Task.WhenAll(_hints.Select(async hint =>
        {
            if (await TryConnectAsync(hint, cancellationToken).ConfigureAwait(false))
                found.Writer.TryWrite(hint.Peer);
        }));
        Task ended = EndAsync();
        await foreach (PeerId peer in found.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            yield return peer;
        await ended.ConfigureAwait(false);

        async Task EndAsync()
        {
            try
            {
                await dials.ConfigureAwait(false);
            }
            finally
            {
                found.Writer.TryComplete();
            }
        }
    }

    public async Task<bool> ReconnectAsync(PeerId peer, CancellationToken cancellationToken)
    {
        if (pool.TryGet(peer, out _))
            return true;
        PeerHint? hint = _hints.FirstOrDefault(h => h.Peer == peer);
        return await TryConnectAsync(hint ?? new PeerHint(peer, []), cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> TryConnectAsync(PeerHint hint, CancellationToken cancellationToken)
    {
        try
        {
            await pool.ConnectAsync(hint.Peer, hint.Addresses, AddressOrigin.User, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (P2PException e)
        {
            lock (_gate)
            {
                foreach (DialAttempt attempt in e.Attempts.Count > 0 ? e.Attempts : [new DialAttempt(hint.Peer.ToShortString(), e.Message)])
                {
                    if (_attempts.Count < MaxAttempts || _attempts.ContainsKey(attempt.Address))
                        _attempts[attempt.Address] = attempt;
                }
            }

            return false;
        }
    }
}
