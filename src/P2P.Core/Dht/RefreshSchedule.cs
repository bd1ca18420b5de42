namespace P2P.Core.Dht;

/// <summary>
/// When a table is looked after (Kademlia, 2.3): once all of it when the first contact is there, then each bucket that nobody used for the interval, the own
/// place and the silent ones once an interval, and the peers to begin with while there are few contacts.
/// </summary>
/// <remarks>
/// Parts of a network that were apart do not grow together by that alone: who looks up its own place begins with its neighbours, and those know each other.
/// So the own place is looked up besides, by way of the neighbours that others named and that are not known (<see cref="Hear"/>).
/// </remarks>
internal sealed class RefreshSchedule(RefreshSettings settings)
{
    private readonly List<Contact> _strangers = []; // neighbours that others named, the nearest first
    private TimeSpan _nextMerge = TimeSpan.Zero;
    private TimeSpan _nextBootstrap = TimeSpan.Zero, _nextRound = TimeSpan.Zero, _settleAt = TimeSpan.MaxValue;
    private int _rounds, _fill;
    private bool _isCheckDue, _isSelfDue;

    /// <summary>What to do next; the caller does it, then asks again.</summary>
    /// <param name="table">The table. A bucket that is named counts as used from now on.</param>
    /// <param name="now">Time since the start.</param>
    public RefreshStep Next(RoutingTable table, TimeSpan now)
    {
        bool isLow = table.Count < settings.LowContacts;
        if (isLow && now >= _nextBootstrap)
        {
            _nextBootstrap = now + settings.BootstrapInterval;
            return new RefreshStep(RefreshStepKind.Bootstrap);
        }

        if (table.Count == 0)
            return new RefreshStep(RefreshStepKind.Wait, Until: _nextBootstrap);
        if (now >= _nextRound)
            BeginRound(now);
        if (_isCheckDue)
        {
            _isCheckDue = false;
            return new RefreshStep(RefreshStepKind.Check);
        }

        if (_isSelfDue || (_strangers.Count > 0 && now >= _nextMerge))
        {
            Contact[] others = [.. _strangers];
            _strangers.Clear();
            _isSelfDue = false;
            if (others.Length > 0)
                _nextMerge = now + settings.MergeInterval;
            return new RefreshStep(RefreshStepKind.Self) { Others = others };
        }

        if (now >= _settleAt)
        {
            table.KeepAll();
            _settleAt = TimeSpan.MaxValue;
        }

        TimeSpan until = Min(_nextRound, _settleAt);
        if (isLow)
            until = Min(until, _nextBootstrap);
        if (_strangers.Count > 0)
            until = Min(until, _nextMerge);
        return NextBucket(table, now, until);
    }

    /// <summary>Somebody named contacts near to our own place. Those that would be among the nearest of the table and are not in it are asked soon.</summary>
    /// <param name="table">The table.</param>
    /// <param name="named">Whom it named.</param>
    /// <returns>Whether there is somebody to ask.</returns>
    public bool Hear(RoutingTable table, IReadOnlyList<Contact> named)
    {
        Contact[] nearest = table.Closest(table.Own, RoutingTableSettings.K);
        foreach (Contact contact in named)
        {
            bool isNeighbour = nearest.Length < RoutingTableSettings.K || IsNearer(table.Own, contact, nearest[^1]);
            if (!isNeighbour || contact.Key == table.Own || table.Contains(contact.Key) || _strangers.Any(known => known.Key == contact.Key))
                continue;
            int place = _strangers.FindIndex(known => IsNearer(table.Own, contact, known));
            _strangers.Insert(place < 0 ? _strangers.Count : place, contact);
            if (_strangers.Count > RoutingTableSettings.K)
                _strangers.RemoveAt(RoutingTableSettings.K);
        }

        return _strangers.Count > 0;
    }

    /// <summary>The network was away, or is another one: all of the table is looked through again.</summary>
    public void Restart() => (_nextRound, _nextBootstrap, _fill, _rounds) = (TimeSpan.Zero, TimeSpan.Zero, 0, 0);

    private RefreshStep NextBucket(RoutingTable table, TimeSpan now, TimeSpan until)
    {
        int count = Math.Min(table.BucketCount, settings.MaxPrefix + 1);
        for (int prefix = 0; prefix < count; prefix++)
        {
            KBucket bucket = table.Bucket(prefix);
            bool isFilling = prefix >= _fill; // the first time each is looked through, used or not
            if (isFilling || now - bucket.LastUsed >= settings.Interval)
            {
                _fill = Math.Max(_fill, prefix + 1);
                bucket.LastUsed = now;
                return new RefreshStep(RefreshStepKind.Bucket, prefix);
            }

            until = Min(until, bucket.LastUsed + settings.Interval);
        }

        return new RefreshStep(RefreshStepKind.Wait, Until: until);
    }

    private void BeginRound(TimeSpan now)
    {
        _nextRound = now + settings.Interval;
        _isSelfDue = true;
        _isCheckDue = _rounds > 0;
        if (++_rounds == 2)
            _settleAt = now + settings.SettleAfter;
    }

    private static bool IsNearer(in DhtKey own, Contact one, Contact other) => own.CompareDistance(one.Key, other.Key) < 0;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
