using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Exchange;
using P2P.Core.Replication;

namespace P2P.Core.Node;

/// <summary>
/// Everybody who may have content: the peers that the user named, those on the local network and those that the DHT knows of, looked for at the same moment, each handed on as soon as it
/// is connected. Whoever is connected already is asked by the session itself.
/// </summary>
internal sealed class ContentProviders(ConnectionPool pool, DhtNetworks dhts, HolderNetwork? holders, LanNetwork? lan, IReadOnlyList<PeerHint> hints, TimeProvider time) : IProviderSource
{
    /// <summary>What stands for the DHT where addresses stand that were tried.</summary>
    public const string DhtSource = "DHT";

    /// <summary>What stands for the local network there.</summary>
    public const string LanSource = "local network";

    /// <summary>Providers that are looked for in one search (count).</summary>
    private const int MaxProviders = 20;

    /// <summary>Providers that are dialed at once (count); a dead one holds one of these places until its dial ends.</summary>
    private const int MaxDials = 8;

    private const int MaxAttempts = 16;

    /// <summary>Peers that records and lists name, remembered (count).</summary>
    private const int MaxListed = 64;

    /// <summary>Peers of the local network that are asked in one search (count).</summary>
    private const int MaxNeighbours = 64;

    /// <summary>How long a search waits for the first contact of a DHT that is being entered.</summary>
    private static readonly TimeSpan EntryPatience = TimeSpan.FromSeconds(5);

    /// <summary>Holders dialed in one search (count): the closest, which have it if any have.</summary>
    private const int MaxHolders = 8;

    private readonly HintProviders _hints = new(pool, hints);
    private readonly ConcurrentQueue<Contact> _rootHolders = new();
    private RunHolders? _runs;
    private int _holderLookups; // one search at a time
    private readonly Lock _gate = new(); // guards the two below
    private readonly Dictionary<string, DialAttempt> _attempts = new(StringComparer.Ordinal);
    private readonly HashSet<PeerId> _listed = [];

    public IReadOnlyList<DialAttempt> Attempts
    {
        get
        {
            lock (_gate)
                return [.. _hints.Attempts, .. _attempts.Values];
        }
    }

    /// <summary>The user's and the link's peers, those of provider records, and neighbours that list it. Holders and other neighbours are only asked by chance.</summary>
    public IReadOnlyCollection<PeerId> Named
    {
        get
        {
            lock (_gate)
                return [.. _hints.Named.Union(_listed).Where(peer => peer != pool.Self)];
        }
    }

    public bool LooksForBlocks => holders is not null;

    public void OnChildren(IReadOnlyList<BlockChild> children) => Runs.OnChildren(children);

    public async IAsyncEnumerable<(PeerId Peer, IReadOnlyCollection<MultihashKey> Blocks)> FindForAsync(Cid block, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!dhts.HasContacts)
            yield break;
        var found = Channel.CreateUnbounded<(PeerId, IReadOnlyCollection<MultihashKey>)>(); // bounded by what is dialed at once
        Task looking = Runs.FindAsync(block, found.Writer, cancellationToken);
        _ = looking.ContinueWith(done => found.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await foreach ((PeerId, IReadOnlyCollection<MultihashKey>) one in found.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            yield return one;
    }

    private RunHolders Runs => LazyInitializer.EnsureInitialized(ref _runs, () => new RunHolders(holders!, pool, Note, time));

    /// <summary>Takes more hints in; returns those that say something new.</summary>
    public IReadOnlyList<PeerHint> Add(IReadOnlyList<PeerHint> more) => _hints.Add(more);

    public async IAsyncEnumerable<PeerId> FindAsync(Cid root, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = Channel.CreateUnbounded<PeerId>(); // bounded by the hints and by what each search may find
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task searching = SearchAsync(root, found.Writer, stop.Token);
        try
        {
            await foreach (PeerId peer in found.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return peer;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await searching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // cancelled, or the reader was told its failure
        }
    }

    public Task<bool> ReconnectAsync(PeerId peer, CancellationToken cancellationToken) => _hints.ReconnectAsync(peer, cancellationToken);

    private async Task SearchAsync(Cid root, ChannelWriter<PeerId> found, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll([FindHintsAsync(root, found, cancellationToken), FindNeighboursAsync(root, found, cancellationToken), .. dhts.All.Select(dht => SearchAsync(dht, root, found, cancellationToken)), FindHoldersAsync(root, found, cancellationToken)]).ConfigureAwait(false);
            found.TryComplete();
        }
        catch (Exception error)
        {
            found.TryComplete(error);
        }
    }

    private async Task FindHintsAsync(Cid root, ChannelWriter<PeerId> found, CancellationToken cancellationToken)
    {
        await foreach (PeerId peer in _hints.FindAsync(root, cancellationToken).ConfigureAwait(false))
            found.TryWrite(peer);
    }

    /// <summary>Peers on the local network, which are few and near: whether they have it is quickly asked.</summary>
    private async Task FindNeighboursAsync(Cid root, ChannelWriter<PeerId> found, CancellationToken cancellationToken)
    {
        if (lan is null)
            return;
        lan.LookAgain();
        await lan.WaitForAnswersAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<PeerHint> neighbours = lan.Peers;
        foreach (PeerId peer in lan.WhoLists(root))
            AddListed(peer);
        Note(LanSource, neighbours.Count == 0 ? "nobody there answers" : null);
        using SemaphoreSlim places = new(MaxDials);
        await Task.WhenAll(neighbours.Take(MaxNeighbours).Select(async peer =>
        {
            await places.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await pool.ConnectAsync(peer.Peer, peer.Addresses, AddressOrigin.Peer, cancellationToken).ConfigureAwait(false);
                found.TryWrite(peer.Peer);
            }
            catch (P2PException error)
            {
                Note(error, peer.Peer);
            }
            finally
            {
                places.Release();
            }
        })).ConfigureAwait(false);
    }

    private async Task SearchAsync(DhtNode dht, Cid root, ChannelWriter<PeerId> found, CancellationToken cancellationToken)
    {
        if (dht.ContactCount == 0 && (!dhts.MayFindAnybody || !await HasEnteredAsync(dht, cancellationToken).ConfigureAwait(false)))
        {
            Note(DhtSource, dhts.MayFindAnybody ? "no peer of it answers" : "no bootstrap peer known");
            return;
        }

        byte[] key = new byte[root.Key.ByteLength];
        root.Key.CopyTo(key);
        using SemaphoreSlim places = new(MaxDials);
        List<Task> dials = [];
        try
        {
            await foreach (Contact provider in dht.FindProvidersAsync(key, MaxProviders, cancellationToken).ConfigureAwait(false))
            {
                AddListed(provider.Peer);
                dials.Add(ConnectAsync(dht, provider, places, found, cancellationToken));
            }

            Note(DhtSource, dials.Count == 0 ? "nobody there has announced it" : null);
        }
        finally
        {
            await Task.WhenAll(dials).ConfigureAwait(false);
        }
    }

    /// <summary>The holders closest to the root: they may have it whether or not a record names them. The farther ones in later searches.</summary>
    private async Task FindHoldersAsync(Cid root, ChannelWriter<PeerId> found, CancellationToken cancellationToken)
    {
        if (holders is null || !dhts.HasContacts)
            return;
        if (_rootHolders.IsEmpty)
        {
            byte[] key = new byte[root.Key.ByteLength];
            root.Key.CopyTo(key);
            int place = _holderLookups++ % (1 + Run.ExtraPlaces); // a root has places besides its own
            if (place > 0)
                key = Run.PlaceName(key, place);
            foreach (Contact holder in await holders.FindClosestAsync(key, DialPurpose.Awaited, cancellationToken).ConfigureAwait(false))
                _rootHolders.Enqueue(holder);
        }

        using SemaphoreSlim places = new(MaxDials);
        List<Task> dials = [];
        while (dials.Count < MaxHolders && _rootHolders.TryDequeue(out Contact? holder))
            dials.Add(ConnectAsync(dhts.Own!, holder, places, found, cancellationToken));
        await Task.WhenAll(dials).ConfigureAwait(false);
    }

    private async Task ConnectAsync(DhtNode dht, Contact provider, SemaphoreSlim places, ChannelWriter<PeerId> found, CancellationToken cancellationToken)
    {
        await places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (provider.Addresses.Count == 0 && !pool.TryGet(provider.Peer, out _))
                provider = await dht.FindPeerAsync(provider.Peer, cancellationToken).ConfigureAwait(false) ?? provider;
            await pool.ConnectAsync(provider.Peer, provider.Addresses, AddressOrigin.Peer, cancellationToken).ConfigureAwait(false);
            found.TryWrite(provider.Peer);
        }
        catch (P2PException e)
        {
            Note(e, provider.Peer);
        }
        finally
        {
            places.Release();
        }
    }

    private void AddListed(PeerId peer)
    {
        lock (_gate)
        {
            if (_listed.Count < MaxListed)
                _listed.Add(peer);
        }
    }

    private async Task<bool> HasEnteredAsync(DhtNode dht, CancellationToken cancellationToken)
    {
        await dht.HasContact.WaitAsync(EntryPatience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return dht.ContactCount > 0;
    }

    private void Note(P2PException failure, PeerId peer)
    {
        foreach (DialAttempt attempt in failure.Attempts.Count > 0 ? failure.Attempts : [new DialAttempt(peer.ToShortString(), failure.Message)])
            Note(attempt.Address, attempt.Error);
    }

    private void Note(string address, string? error)
    {
        lock (_gate)
        {
            if (error is null)
                _attempts.Remove(address);
            else if (_attempts.Count < MaxAttempts || _attempts.ContainsKey(address))
                _attempts[address] = new DialAttempt(address, error);
        }
    }
}
