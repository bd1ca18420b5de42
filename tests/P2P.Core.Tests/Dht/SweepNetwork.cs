using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>A network whose lookups tell the truth, a journal in memory, and who was told of what: what a sweep is tried on.</summary>
internal sealed class SweepNetwork : IProvideJournal
{
    private readonly Contact[] _nodes; // in the order of their keys
    private readonly SortedSet<DhtKey> _new = [];
    private DhtKey[] _keys;

    public SweepNetwork(int nodes, int keys, ulong seed)
    {
        Random = new SeededRandom(seed);
        _nodes = NetworkSizeTests.Crowd(Random, nodes);
        Array.Sort(_nodes, static (a, b) => a.Key.CompareTo(b.Key));
        _keys = [.. Enumerable.Range(0, keys).Select(_ => DhtKey.Random(Random))];
        Array.Sort(_keys);
        _new.UnionWith(_keys);
        Sweep = NewSweep();
    }

    public SeededRandom Random { get; }

    public ProvideSweep Sweep { get; private set; }

    public SweepSettings Settings { get; init; } = SweepSettings.Default;

    public TimeSpan Now { get; set; } = TimeSpan.FromDays(20_000);

    public IReadOnlyList<DhtKey> Keys => _keys;

    public int NewCount => _new.Count;

    public SweepProgress? Progress { get; private set; }

    /// <summary>Nobody answers.</summary>
    public bool IsDown { get; set; }

    public int Lookups { get; private set; }

    public int Singles { get; private set; }

    /// <summary>How often each node was visited.</summary>
    public Dictionary<DhtKey, int> Visits { get; } = [];

    /// <summary>Who was told of each key; filled only when asked for.</summary>
    public Dictionary<DhtKey, List<Contact>>? Told { get; set; }

    /// <summary>When each key was told last; filled only when asked for.</summary>
    public Dictionary<DhtKey, TimeSpan>? ToldAt { get; set; }

    public void Restart() => Sweep = NewSweep();

    public void AddKeys(int count)
    {
        DhtKey[] added = [.. Enumerable.Range(0, count).Select(_ => DhtKey.Random(Random))];
        _keys = [.. _keys, .. added];
        Array.Sort(_keys);
        _new.UnionWith(added);
        Sweep.OnKeysAdded(Now);
    }

    /// <summary>Does what the sweep wants until that time; everything but waiting takes no time.</summary>
    public void RunUntil(TimeSpan end)
    {
        while (true)
        {
            SweepStep step = Sweep.Next(Now);
            switch (step.Kind)
            {
                case SweepStepKind.LookUp:
                    Lookups++;
                    Sweep.OnLookup(step.Target, IsDown ? [] : Closest(step.Target, 20));
                    break;
                case SweepStepKind.Tell:
                    Visits[step.Contact!.Key] = Visits.GetValueOrDefault(step.Contact.Key) + 1;
                    foreach (ProvideKey key in step.Keys)
                        Note(key.Key, [step.Contact]);
                    Sweep.OnTold(!IsDown);
                    break;
                case SweepStepKind.Provide:
                    Singles++;
                    Lookups++;
                    if (!IsDown)
                        Note(step.Keys[0].Key, Closest(step.Keys[0].Key, 20));
                    Sweep.OnProvided(!IsDown);
                    break;
                default:
                    if (step.Until >= end)
                    {
                        Now = end;
                        return;
                    }

                    Assert.IsGreaterThan(Now, step.Until, "It waits for a time that has passed.");
                    Now = step.Until;
                    break;
            }
        }
    }

    public List<Contact> Closest(DhtKey target, int count)
    {
        // a window around the place in order holds them: of the smallest part around the target that has enough nodes
        int length = 0, low = 0, high = _nodes.Length;
        while (true)
        {
            var part = DhtPrefix.Of(target, length + 1);
            int from = Find(part.First), to = Find(part.Last);
            if (to - from < count)
                break;
            (low, high, length) = (from, to, length + 1);
        }

        List<Contact> closest = [.. _nodes[low..high]];
        closest.Sort((a, b) => target.CompareDistance(a.Key, b.Key));
        return closest.Count > count ? closest[..count] : closest;
    }

    List<ProvideKey> IProvideJournal.Read(DhtKey from, DhtKey to, int max, bool onlyNew)
    {
        if (onlyNew)
            return [.. _new.GetViewBetween(from, to).Take(max).Select(static key => new ProvideKey(key, default, IsNew: true))];
        int at = Array.BinarySearch(_keys, from);
        List<ProvideKey> found = [];
        for (at = at < 0 ? ~at : at; at < _keys.Length && found.Count < max && _keys[at] <= to; at++)
            found.Add(new ProvideKey(_keys[at], default, _new.Contains(_keys[at])));
        return found;
    }

    void IProvideJournal.MarkProvided(IReadOnlyList<ProvideKey> keys) => _new.ExceptWith(keys.Select(static key => key.Key));

    SweepProgress? IProvideJournal.LoadProgress() => Progress;

    void IProvideJournal.SaveProgress(SweepProgress progress) => Progress = progress;

    Task IProvideJournal.FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private ProvideSweep NewSweep() => new(this, Settings, Random) { NetworkSize = _nodes.Length };

    private void Note(DhtKey key, IEnumerable<Contact> told)
    {
        if (ToldAt is not null)
            ToldAt[key] = Now;
        if (Told is null)
            return;
        if (!Told.TryGetValue(key, out List<Contact>? all))
            Told.Add(key, all = []);
        all.AddRange(told);
    }

    private int Find(DhtKey key)
    {
        int low = 0, high = _nodes.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_nodes[middle].Key < key)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
