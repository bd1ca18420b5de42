namespace P2P.Core.Dht;

/// <summary>
/// Announces any number of keys again and again, region by region of the keyspace, spread over the interval: the lookups cost what it takes to find the
/// nodes once, however many keys there are, and each node is told of all its keys at one visit (the provide sweep of go-libp2p-kad-dht).
/// </summary>
/// <remarks>
/// Owns no network and no clock: the caller does what <see cref="Next"/> says and reports back. Keys stay in the journal, one region's at a time is in
/// memory. Times count from 1970, because the schedule outlives the process.
/// </remarks>
internal sealed class ProvideSweep(IProvideJournal journal, SweepSettings settings, Random random)
{
    private const int MaxPrefixBits = 24; // 16 million regions of 64: beyond any network

    private static readonly DhtKey End = DhtPrefix.All.Last;

    private readonly List<(DhtPrefix Region, bool OnlyNew, TimeSpan Due)> _retries = [];
    private SweepProgress? _progress;
    private SweepRegion? _region;
    private bool _isOnline = true, _isOfRound;
    private TimeSpan _offlineSince, _nextNew;
    private DhtKey _newFrom;

    /// <summary>How many nodes there are, as far as known; decides how large regions are. Null: all is one region.</summary>
    public double? NetworkSize { get; set; }

    /// <summary>Regions that could not be told, in a row or not, and wait for another try.</summary>
    public int WaitingRegions => _retries.Count;

    /// <summary>Regions done since the start.</summary>
    public int DoneRegions { get; private set; }

    /// <summary>Whether a long absence is being made up for: everything is announced without pause.</summary>
    public bool IsRushing => _progress is { Rush: > 0 };

    /// <summary>How far behind its schedule it is; zero when it is in time or there is nothing to do.</summary>
    public TimeSpan Lag(TimeSpan now) => _progress is { } progress && now > progress.Due ? now - progress.Due : TimeSpan.Zero;

    /// <summary>What to do next. To be called until it says wait, and again when something has ended or the time has come.</summary>
    public SweepStep Next(TimeSpan now)
    {
        _progress ??= Load(now);
        while (_isOnline)
        {
            if (_region is null && !TryBegin(now, out TimeSpan until))
                return SweepStep.Wait(until);
            if (_region!.Next() is { } step)
                return step;
            if (!_region.IsOver)
                break;
            Finish(_region, now);
        }

        return SweepStep.Wait(TimeSpan.MaxValue);
    }

    /// <summary>A lookup has ended; empty when it found nobody.</summary>
    /// <param name="target">The point that was looked up.</param>
    /// <param name="closest">The 20 closest that answered, the closest first.</param>
    public void OnLookup(DhtKey target, IReadOnlyList<Contact> closest) => _region?.OnLookup(target, closest);

    /// <summary>A node was told of its keys, or could not be.</summary>
    public void OnTold(bool isReached) => _region?.OnDone(isReached);

    /// <summary>A key was announced by itself, or could not be.</summary>
    public void OnProvided(bool isReached) => _region?.OnDone(isReached);

    /// <summary>Keys were put into the journal.</summary>
    public void OnKeysAdded(TimeSpan now)
    {
        TimeSpan due = now + settings.GatherFor;
        if (due < _nextNew)
            _nextNew = due;
    }

    /// <summary>The network came or went.</summary>
    public void SetOnline(bool isOnline, TimeSpan now)
    {
        if (_isOnline == isOnline)
            return;
        _isOnline = isOnline;
        if (!isOnline)
            _offlineSince = now;
        else if (now - _offlineSince > settings.RushAfter && _progress is { } progress)
            Save(progress with { Rush = 1 }, now);
    }

    /// <summary>Where this node is. When it was told to be elsewhere, everything is announced again without pause: what others keep leads nowhere.</summary>
    public void SetAddresses(string addresses, TimeSpan now)
    {
        SweepProgress progress = _progress ??= Load(now);
        if (progress.Addresses != addresses)
            Save(progress with { Addresses = addresses, Rush = progress.Addresses.Length == 0 ? progress.Rush : 1 }, now);
    }

    private SweepProgress Load(TimeSpan now)
    {
        // a new sweep: what there is is new and announced at once; the round comes to its first region when that is due again
        SweepProgress progress = journal.LoadProgress() ?? new SweepProgress(default, now + (settings.Interval * DhtPrefix.Of(default, Bits()).Width), now, Rush: 0);
        if (now - progress.LastActive > settings.RushAfter)
            progress = progress with { Rush = 1 };
        if (progress.Due > now + settings.Interval)
            progress = progress with { Due = now }; // the clock was set back, or the interval was shortened
        return progress;
    }

    private bool TryBegin(TimeSpan now, out TimeSpan until)
    {
        until = TimeSpan.MaxValue;
        return TryBeginRetry(now, ref until) || TryBeginNew(now, ref until) || TryBeginRound(now, ref until);
    }

    private bool TryBeginRetry(TimeSpan now, ref TimeSpan until)
    {
        for (int i = 0; i < _retries.Count; i++)
        {
            (DhtPrefix region, bool onlyNew, TimeSpan due) = _retries[i];
            if (due <= now)
            {
                _retries.RemoveAt(i);
                Begin(region, onlyNew, isOfRound: false);
                return true;
            }

            until = Min(until, due);
        }

        return false;
    }

    private bool TryBeginNew(TimeSpan now, ref TimeSpan until)
    {
        bool isFromStart = _newFrom == default, isWaiting = false;
        while (now >= _nextNew)
        {
            List<ProvideKey> first = journal.Read(_newFrom, End, 1, onlyNew: true);
            if (first.Count > 0)
            {
                DhtPrefix region = DhtPrefix.Of(first[0].Key, Bits());
                _newFrom = region.Last.Successor();
                if (!_retries.Exists(retry => retry.Region.Contains(region) || region.Contains(retry.Region)))
                {
                    Begin(region, onlyNew: true, isOfRound: false);
                    return true;
                }

                isWaiting = true;
                if (_newFrom != default)
                    continue;
            }

            _newFrom = default;
            if (isFromStart)
                _nextNew = isWaiting ? now + settings.RetryAfter : TimeSpan.MaxValue;
            isFromStart = true; // once more from the beginning: some may have come behind us
        }

        until = Min(until, _nextNew);
        return false;
    }

    private bool TryBeginRound(TimeSpan now, ref TimeSpan until)
    {
        for (int turn = 0; turn < 2; turn++)
        {
            SweepProgress progress = _progress!;
            if (progress.Rush <= 0 && progress.Due > now)
            {
                until = Min(until, progress.Due);
                return false;
            }

            List<ProvideKey> first = journal.Read(progress.Cursor, End, 1, onlyNew: false);
            if (first.Count > 0)
            {
                var region = DhtPrefix.Of(first[0].Key, Bits());
                if (region.First > progress.Cursor)
                    Advance(region.First, now); // nothing in between
                if (_progress!.Rush <= 0 && _progress.Due > now)
                    continue;
                Begin(region, onlyNew: false, isOfRound: true);
                return true;
            }

            Advance(default, now); // nothing up to the end
        }

        until = Min(until, Max(_progress!.Due, now + settings.GatherFor));
        return false;
    }

    private void Begin(DhtPrefix region, bool onlyNew, bool isOfRound) =>
        (_region, _isOfRound) = (new SweepRegion(region, onlyNew, journal, settings, random), isOfRound);

    private void Finish(SweepRegion region, TimeSpan now)
    {
        _region = null;
        DoneRegions++;
        if (!region.IsSuccess && _retries.Count < settings.MaxRetries && !_retries.Exists(retry => retry.Region == region.Region && retry.OnlyNew == region.OnlyNew))
            _retries.Add((region.Region, region.OnlyNew, now + settings.RetryAfter));
        if (_isOfRound)
            Advance(region.Region.Last.Successor(), now);
        else
            Save(_progress!, now);
    }

    /// <summary>Everything up to a point is done; the start stands for the end.</summary>
    private void Advance(DhtKey to, TimeSpan now)
    {
        SweepProgress progress = _progress!;
        double width = (to == default ? 1 : KeyDistance.Of(to, default)) - KeyDistance.Of(progress.Cursor, default);
        double rush = Math.Max(0, progress.Rush - width);
        if (rush < 1e-9)
            rush = 0; // what rounding leaves
        TimeSpan due = progress.Rush > 0 ? now : progress.Due + (settings.Interval * width);
        Save(progress with { Cursor = to, Due = due, Rush = rush }, now);
    }

    private void Save(SweepProgress progress, TimeSpan now)
    {
        _progress = progress with { LastActive = now };
        journal.SaveProgress(_progress);
    }

    /// <summary>How many bits regions are long now.</summary>
    private int Bits() =>
        NetworkSize is { } size && size >= 2 * settings.RegionPeers ? Math.Min(MaxPrefixBits, (int)Math.Floor(Math.Log2(size / settings.RegionPeers))) : 0;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
