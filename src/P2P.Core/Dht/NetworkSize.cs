namespace P2P.Core.Dht;

/// <summary>
/// How many nodes there are, from what lookups find anyhow: in a network of n, the i-th closest to a point is at i/n of the keyspace on average. The slope is
/// fitted through the origin over the ranks (Optimistic Provide, INFOCOM 2024), weighted by 1/i, the inverse of each rank's variance; for each rank the
/// median of all lookups is taken, so that a few poisoned or poor ones do not bend it.
/// </summary>
internal sealed class NetworkSize
{
    /// <summary>Lookups remembered (count), the oldest is forgotten first. 64 give an estimate within about 4 %.</summary>
    public const int MaxSamples = 64;

    /// <summary>Lookups needed for an estimate (count); with 5 it is within about 13 %.</summary>
    public const int MinSamples = 5;

    private const int K = RoutingTableSettings.K;

    /// <summary>Networks grow and shrink: older lookups do not count.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(2);

    private readonly Queue<Sample> _samples = new(MaxSamples);

    /// <summary>Notes what a lookup found.</summary>
    /// <param name="target">The point.</param>
    /// <param name="closest">The closest that answered, the closest first; with fewer than k the network was not seen, or is smaller than that, and nothing is noted.</param>
    /// <param name="now">Time since the start.</param>
    public void Add(DhtKey target, IReadOnlyList<Contact> closest, TimeSpan now)
    {
        if (closest.Count < K)
            return;
        double[] distances = new double[K];
        for (int i = 0; i < K; i++)
            distances[i] = KeyDistance.Of(target, closest[i].Key);
        int same = _samples.Count;
        while (same-- > 0)
        {
            Sample one = _samples.Dequeue(); // all of them pass once; an older lookup for the same point is not a second witness
            if (one.Target != target)
                _samples.Enqueue(one);
        }

        if (_samples.Count == MaxSamples)
            _samples.Dequeue();
        _samples.Enqueue(new Sample(target, distances, now));
    }

    /// <summary>How many nodes there are; null: too few lookups were seen lately.</summary>
    public double? Estimate(TimeSpan now) => Estimate(static _ => true, now);

    /// <summary>
    /// How many nodes there are, judged only by lookups whose neighbourhood is elsewhere: who surrounds this key with nodes of their own cannot move it. Null:
    /// too few lookups, or the network is so small that every neighbourhood is near.
    /// </summary>
    public double? EstimateAwayFrom(DhtKey key, TimeSpan now) => Estimate(sample => KeyDistance.Of(sample.Target, key) > 4 * sample.Radius, now);

    private double? Estimate(Func<Sample, bool> counts, TimeSpan now)
    {
        List<Sample> chosen = new(_samples.Count);
        foreach (Sample sample in _samples)
        {
            if (now - sample.At <= MaxAge && counts(sample))
                chosen.Add(sample);
        }

        if (chosen.Count < MinSamples)
            return null;

        // weights 1/i turn the least squares slope sum(w x y) / sum(w x x) into sum(y) / sum(x); the median of the i-th rank is at i - 1/3, not at i
        double ranks = 0, distances = 0;
        double[] column = new double[chosen.Count];
        for (int i = 0; i < K; i++)
        {
            for (int j = 0; j < chosen.Count; j++)
                column[j] = chosen[j].Distances[i];
            Array.Sort(column);
            int middle = column.Length / 2;
            distances += column.Length % 2 == 1 ? column[middle] : (column[middle - 1] + column[middle]) / 2;
            ranks += i + 1 - (1.0 / 3);
        }

        return distances > 0 ? ranks / distances : null;
    }

    private sealed record Sample(DhtKey Target, double[] Distances, TimeSpan At)
    {
        public double Radius => Distances[^1];
    }
}
