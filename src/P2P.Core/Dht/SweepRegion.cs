namespace P2P.Core.Dht;

/// <summary>One region of a sweep: finds its nodes, gives each key to its 20 nearest, and tells each node once.</summary>
internal sealed class SweepRegion
{
    private const int K = RoutingTableSettings.K;

    private readonly IProvideJournal _journal;
    private readonly SweepSettings _settings;
    private readonly RegionExplorer _explorer;
    private readonly Queue<SweepStep> _steps = [];
    private List<ProvideKey> _keys = [];
    private Contact[] _peers = [];
    private ulong[] _places = []; // of the peers
    private DhtKey? _next; // of the keys that were not read yet
    private Phase _phase = Phase.Begin;
    private bool _isLookingUp;
    private int _inFlight, _told, _reached;

    public SweepRegion(DhtPrefix region, bool onlyNew, IProvideJournal journal, SweepSettings settings, Random random)
    {
        (Region, OnlyNew, _journal, _settings) = (region, onlyNew, journal, settings);
        _explorer = new RegionExplorer(region, settings.MaxLookups, random);
        _next = region.First;
    }

    private enum Phase
    {
        Begin,
        Single, // few keys: each by itself
        Explore,
        Tell,
        Over,
    }

    /// <summary>Which keys it is about.</summary>
    public DhtPrefix Region { get; }

    /// <summary>Whether only keys that were never announced are told.</summary>
    public bool OnlyNew { get; }

    /// <summary>Whether it has ended.</summary>
    public bool IsOver => _phase == Phase.Over;

    /// <summary>Whether enough of its nodes were told.</summary>
    public bool IsSuccess { get; private set; }

    /// <summary>What to do next; null: wait for what is under way, or it is over.</summary>
    public SweepStep? Next()
    {
        while (true)
        {
            switch (_phase)
            {
                case Phase.Begin:
                    Begin();
                    continue;
                case Phase.Explore when _explorer.IsUnreachable:
                    End(isSuccess: false);
                    return null;
                case Phase.Explore when !_explorer.IsDone:
                    if (_isLookingUp)
                        return null;
                    _isLookingUp = true;
                    return SweepStep.LookUp(_explorer.NextTarget(), _explorer.NextPart.Length);
                case Phase.Explore:
                    Choose();
                    continue;
                case Phase.Single or Phase.Tell when _steps.Count > 0:
                    if (_inFlight >= _settings.MaxInFlight)
                        return null;
                    _inFlight++;
                    return _steps.Dequeue();
                case Phase.Single or Phase.Tell when _inFlight > 0:
                    return null;
                case Phase.Single or Phase.Tell:
                    EndPass();
                    continue;
                default:
                    return null;
            }
        }
    }

    /// <summary>A lookup has ended.</summary>
    public void OnLookup(DhtKey target, IReadOnlyList<Contact> closest)
    {
        if (!_isLookingUp)
            return;
        _isLookingUp = false;
        _explorer.OnLookup(target, closest);
    }

    /// <summary>A node was told, or a key announced, or not.</summary>
    public void OnDone(bool isReached)
    {
        if (_inFlight == 0)
            return;
        _inFlight--;
        _told++;
        _reached += isReached ? 1 : 0;
    }

    private void Begin()
    {
        List<ProvideKey> first = _journal.Read(Region.First, Region.Last, _settings.OrdinaryKeys + 1, OnlyNew);
        if (first.Count > _settings.OrdinaryKeys)
        {
            _phase = Phase.Explore;
            return;
        }

        (_keys, _next, _phase) = (first, null, Phase.Single);
        foreach (ProvideKey key in first)
            _steps.Enqueue(SweepStep.Provide(key));
    }

    private void Choose()
    {
        if (_explorer.Count < K && !_explorer.IsWholeNetwork && _explorer.Region.Length > 0 && _explorer.Lookups < _settings.MaxLookups)
        {
            _explorer.Widen();
            return;
        }

        _peers = [.. _explorer.Peers];
        Array.Sort(_peers, static (a, b) => a.Key.CompareTo(b.Key)); // the same order every time, and one's own way round the region
        _places = Array.ConvertAll(_peers, static peer => peer.Key.High);
        _phase = Phase.Tell;
        Assign();
    }

    /// <summary>Reads the next keys and gives each to its 20 nearest.</summary>
    private void Assign()
    {
        _keys = _journal.Read(_next!.Value, Region.Last, _settings.MaxKeysPerPass, OnlyNew);
        _next = _keys.Count == _settings.MaxKeysPerPass && _keys[^1].Key != Region.Last ? _keys[^1].Key.Successor() : null;
        var work = new List<int>?[_peers.Length];
        Span<int> nearest = stackalloc int[K];
        for (int i = 0; i < _keys.Count; i++)
        {
            int count = FindNearest(_keys[i].Key.High, nearest);
            foreach (int peer in nearest[..count])
                (work[peer] ??= []).Add(i);
        }

        for (int peer = 0; peer < work.Length; peer++)
        {
            if (work[peer] is not { } indexes)
                continue;
            var keys = new ProvideKey[indexes.Count];
            for (int i = 0; i < keys.Length; i++)
                keys[i] = _keys[indexes[i]];
            _steps.Enqueue(SweepStep.Tell(_peers[peer], keys));
        }
    }

    private int FindNearest(ulong place, Span<int> nearest)
    {
        int count = 0;
        for (int peer = 0; peer < _places.Length; peer++)
        {
            ulong distance = _places[peer] ^ place;
            if (count == nearest.Length && (_places[nearest[count - 1]] ^ place) <= distance)
                continue;
            int at = count < nearest.Length ? count++ : count - 1;
            for (; at > 0 && (_places[nearest[at - 1]] ^ place) > distance; at--)
                nearest[at] = nearest[at - 1];
            nearest[at] = peer;
        }

        return count;
    }

    private void EndPass()
    {
        bool isSuccess = _told == 0 ? _keys.Count == 0 : _reached >= _told * _settings.MinReached && _reached > 0;
        if (!isSuccess)
        {
            End(isSuccess: false);
            return;
        }

        List<ProvideKey> isNewNoMore = _keys.FindAll(static key => key.IsNew);
        if (isNewNoMore.Count > 0)
            _journal.MarkProvided(isNewNoMore);
        if (_next is null)
        {
            End(isSuccess: true);
            return;
        }

        (_told, _reached) = (0, 0);
        Assign();
    }

    private void End(bool isSuccess)
    {
        IsSuccess = isSuccess;
        _phase = Phase.Over;
        _keys = [];
    }
}
