using System.Threading.Channels;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Replication;

namespace P2P.Core.Node;

/// <summary>
/// Where the parts of replicated content are: as inner nodes are read, the runs below them are known, and when nobody has a block, the holders closest to its
/// run are looked up. Few are dialed at a time, because one of them is enough. Thread-safe.
/// </summary>
internal sealed class RunHolders(HolderNetwork holders, ConnectionPool pool, Action<string, string?> note, TimeProvider time)
{
    /// <summary>Holders dialed at once for a run (count).</summary>
    private const int DialsAtOnce = 3;

    /// <summary>Blocks whose run is remembered (count); beyond, those read first are forgotten.</summary>
    private const int MaxBlocks = 65_536;

    /// <summary>Before that a run is not looked up again.</summary>
    private static readonly TimeSpan LookupPause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new(); // guards all below
    private Dictionary<MultihashKey, Place> _places = [], _older = [];

    /// <summary>An inner node was read: what hangs on it is a run each, or in runs.</summary>
    public void OnChildren(IReadOnlyList<BlockChild> children)
    {
        IEnumerable<Run> leaves = RunCutter.RunsOf(children.Where(static child => child.IsLeaf).Select(static child => new ReplicaEntry(child.Cid, (int)Math.Min(child.Bytes, RunCutter.MaxRunBytes))));
        lock (_gate)
        {
            foreach (Run run in leaves)
                Add(new Place(run.Head, [.. run.Entries.Select(static entry => entry.Cid.Key)], places: 1));
            foreach (BlockChild child in children)
            {
                if (!child.IsLeaf)
                    Add(new Place(child.Cid.MultihashSpan.ToArray(), [child.Cid.Key], 1 + Run.ExtraPlaces));
            }
        }
    }

    /// <summary>Holders of a block's run, each as soon as it is connected, with the blocks of the run.</summary>
    public async Task FindAsync(Cid block, ChannelWriter<(PeerId Peer, IReadOnlyCollection<MultihashKey> Blocks)> found, CancellationToken cancellationToken)
    {
        if (Take(block.Key) is not { } place)
            return;
        try
        {
            if (place.Candidates.Count == 0)
            {
                foreach (Contact holder in await holders.FindClosestAsync(place.NextName(), DialPurpose.Awaited, cancellationToken).ConfigureAwait(false))
                    place.Candidates.Enqueue(holder);
                place.LookedUp = time.GetTimestamp();
            }

            List<Task> dials = [];
            while (dials.Count < DialsAtOnce && place.Candidates.TryDequeue(out Contact? holder))
                dials.Add(ConnectAsync(holder, place, found, cancellationToken));
            await Task.WhenAll(dials).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                place.IsBusy = false;
        }
    }

    private async Task ConnectAsync(Contact holder, Place place, ChannelWriter<(PeerId Peer, IReadOnlyCollection<MultihashKey> Blocks)> found, CancellationToken cancellationToken)
    {
        try
        {
            await pool.ConnectAsync(holder.Peer, holder.Addresses, AddressOrigin.Peer, cancellationToken).ConfigureAwait(false);
            found.TryWrite((holder.Peer, place.Blocks));
        }
        catch (P2PException error)
        {
            note(holder.Peer.ToShortString(), error.Message);
        }
    }

    /// <summary>The run of a block, if it is time to look for it.</summary>
    private Place? Take(in MultihashKey block)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(block, out Place? place) && !_older.TryGetValue(block, out place))
                return null;
            if (place.IsBusy || (place.Candidates.Count == 0 && place.LookedUp is { } at && time.GetElapsedTime(at) < LookupPause))
                return null;
            place.IsBusy = true;
            return place;
        }
    }

    private void Add(Place place)
    {
        if (_places.Count + place.Blocks.Count > MaxBlocks / 2)
            (_older, _places) = (_places, []);
        foreach (MultihashKey block in place.Blocks)
            _places.TryAdd(block, place);
    }

    /// <summary>A run, and who may have it.</summary>
    private sealed class Place(ReadOnlyMemory<byte> head, IReadOnlyCollection<MultihashKey> blocks, int places)
    {
        private int _lookups;

        public IReadOnlyCollection<MultihashKey> Blocks => blocks;

        public Queue<Contact> Candidates { get; } = new();

        /// <summary>What to look up: the run's own place first, then those that inner nodes have besides, and so on in turns.</summary>
        public ReadOnlyMemory<byte> NextName() => (_lookups++ % places) is > 0 and int other ? Run.PlaceName(head.Span, other) : head;

        public bool IsBusy { get; set; }

        public long? LookedUp { get; set; }
    }
}
