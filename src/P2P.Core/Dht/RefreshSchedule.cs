namespace P2P.Core.Dht;

/// <summary>
/// When a table is looked after (Kademlia, 2.3): once all of it when the first contact is there, then each bucket that nobody used for the interval, the own
/// place and the silent ones once an interval, and the peers to begin with while there are few contacts.
/// </summary>
internal sealed class RefreshSchedule(RefreshSettings settings)
{
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

        if (_isSelfDue)
        {
            _isSelfDue = false;
            return new RefreshStep(RefreshStepKind.Self);
        }

        if (now >= _settleAt)
        {
            table.KeepAll();
            _settleAt = TimeSpan.MaxValue;
        }

        TimeSpan until = Min(_nextRound, _settleAt);
        if (isLow)
            until = Min(until, _nextBootstrap);
        return NextBucket(table, now, until);
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

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
