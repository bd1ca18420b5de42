using P2P.Core.Blocks;
using P2P.Core.Exchange;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

/// <summary>
/// One session against simulated providers, in virtual time and one thread: the scheduler's real code, wires and disks of arithmetic.
/// Each provider has a queue, a rate and a distance, and may lie.
/// </summary>
internal sealed class SchedulerSimulation(int seed)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(40);

    private readonly SeededRandom _random = new((ulong)seed);
    private readonly List<SimulatedProvider> _providers = [];
    private readonly HashSet<MultihashKey> _wanted = [];
    private readonly Dictionary<MultihashKey, int> _sizes = [];
    private Cid _root;
    private int _made;

    public WantScheduler Scheduler { get; private set; } = null!;

    public TimeSpan Now { get; private set; }

    public long BytesReceived { get; private set; }

    public long UsefulBytes { get; private set; }

    public List<Want> Hopeless { get; } = [];

    public IReadOnlyList<SimulatedProvider> Providers => _providers;

    public Action<SchedulerSimulation>? OnStep { get; set; }

    public SimulatedProvider Add(double megabytesPerSecond, double roundTripMs = 1)
    {
        byte[] id = new byte[34];
        _random.NextBytes(id);
        (id[0], id[1]) = (0x12, 32);
        PeerId.TryFromBytes(id, out PeerId peer);
        var provider = new SimulatedProvider { Peer = peer, BytesPerSecond = megabytesPerSecond * 1e6, RoundTrip = TimeSpan.FromMilliseconds(roundTripMs) };
        _providers.Add(provider);
        return provider;
    }

    /// <summary>Fetches a root and its leaves; returns how long it took, or null when it did not end in the given time.</summary>
    public TimeSpan? Run(int leaves, int leafBytes, TimeSpan limit)
    {
        ExchangeSettings settings = ExchangeSettings.Default;
        _root = NewCid(40_000);
        Scheduler = new WantScheduler(_root, settings);
        foreach (SimulatedProvider provider in _providers.Where(static each => !each.ComesLater))
            Scheduler.AddProvider(provider.Peer, provider.IsCandidate, provider.RoundTrip, Now);
        Want(_root, 40_000, isCritical: true);
        int left = leaves;
        bool hasRoot = false;
        TimeSpan nextTick = TickEvery;
        while (Now < limit)
        {
            hasRoot |= !_wanted.Contains(_root.Key);
            while (hasRoot && left > 0 && Scheduler.OpenCount < settings.MaxRequests && Scheduler.OpenBytes < settings.MaxRequestedBytes)
            {
                Want(NewCid(leafBytes), leafBytes, isCritical: false);
                left--;
            }

            if (left == 0 && hasRoot && _wanted.Count == 0)
                return Now;
            OnStep?.Invoke(this);
            Exchange();
            Now += Step;
            foreach (SimulatedProvider provider in _providers)
                Advance(provider);
            if (Now < nextTick)
                continue;
            nextTick += TickEvery;
            Scheduler.Tick(Now, isBlocked: false);
            Hopeless.AddRange(Scheduler.TakeHopeless(Now));
            if (Hopeless.Count > 0)
                return null;
            Check();
        }

        return null;
    }

    public void Connect(SimulatedProvider provider)
    {
        provider.ComesLater = false;
        Scheduler.AddProvider(provider.Peer, provider.IsCandidate, provider.RoundTrip, Now);
    }

    public void Disconnect(SimulatedProvider provider)
    {
        provider.ComesLater = true;
        provider.Queue.Clear();
        Scheduler.OnLost(provider.Peer, Now);
    }

    private Cid NewCid(int bytes)
    {
        Span<byte> digest = stackalloc byte[32];
        BitConverter.TryWriteBytes(digest, ++_made);
        BitConverter.TryWriteBytes(digest[8..], seed);
        var cid = Cid.FromSha256(Cid.RawCodec, digest);
        _sizes.Add(cid.Key, bytes);
        return cid;
    }

    private void Want(Cid cid, int bytes, bool isCritical)
    {
        _wanted.Add(cid.Key);
        Scheduler.Add(new WantRequest(cid, null!, 0), isCritical ? 0 : bytes, isCritical, Now);
    }

    /// <summary>Lines travel to the providers.</summary>
    private void Exchange()
    {
        foreach (Provider provider in Scheduler.Providers)
        {
            if (provider.Outbox.Count == 0)
                continue;
            SimulatedProvider simulated = _providers.Single(each => each.Peer == provider.Peer);
            Assert.IsFalse(simulated.ComesLater, "nothing is sent to who is not connected");
            simulated.Messages++;
            foreach (WantEntry entry in provider.Outbox.OrderByDescending(static each => each.Priority))
                simulated.Queue.AddLast((entry, Now + simulated.RoundTrip));
            provider.Outbox.Clear();
        }
    }

    private void Advance(SimulatedProvider provider)
    {
        foreach ((WantEntry cancel, TimeSpan _) in provider.Queue.Where(each => each.Entry.Cancel && each.At <= Now).ToList())
        {
            bool isHead = true;
            for (LinkedListNode<(WantEntry Entry, TimeSpan At)>? node = provider.Queue.First; node is not null;)
            {
                LinkedListNode<(WantEntry Entry, TimeSpan At)>? next = node.Next;
                if (node.Value.Entry.Cid.Key == cancel.Cid.Key && (node.Value.Entry.Cancel || !isHead || provider.HeadBytes == 0))
                    provider.Queue.Remove(node);
                isHead = false;
                node = next;
            }
        }

        double budget = provider.Behaviour == Behaviour.Trickle ? 1 * Step.TotalSeconds : provider.BytesPerSecond * Step.TotalSeconds;
        while (provider.Queue.First is { } head && head.Value.At <= Now)
        {
            WantEntry entry = head.Value.Entry;
            MultihashKey key = entry.Cid.Key;
            bool denies = provider.Behaviour == Behaviour.Denies || !_sizes.TryGetValue(key, out int size);
            size = denies ? 0 : _sizes[key];
            if (entry.Cancel)
            {
                provider.Queue.RemoveFirst();
            }
            else if (denies)
            {
                provider.Queue.RemoveFirst();
                Scheduler.OnDontHave(provider.Peer, key, Now);
            }
            else if (entry.Kind == WantKind.Have)
            {
                provider.Queue.RemoveFirst();
                Scheduler.OnHave(provider.Peer, key, Now);
            }
            else if (provider.Behaviour == Behaviour.Silent || provider.Delivered >= provider.StallsAfter)
            {
                return;
            }
            else
            {
                double taken = Math.Min(budget, size - provider.HeadBytes);
                provider.HeadBytes += taken;
                budget -= taken;
                provider.Fraction += taken;
                long whole = (long)provider.Fraction;
                provider.Fraction -= whole;
                Scheduler.OnBytes(provider.Peer, whole, Now);
                if (provider.HeadBytes < size)
                    return;
                provider.HeadBytes = 0;
                provider.Queue.RemoveFirst();
                Deliver(provider, key, size);
            }
        }
    }

    private void Deliver(SimulatedProvider provider, MultihashKey key, int size)
    {
        provider.Delivered++;
        BytesReceived += size;
        if (provider.Behaviour == Behaviour.Wrong)
        {
            Scheduler.OnWrongBlock(provider.Peer, size, Now);
        }
        else if (Scheduler.OnBlock(provider.Peer, key, size, Now) is { } want)
        {
            Assert.AreEqual(key, want.Key);
            Assert.IsTrue(_wanted.Remove(key), "a want is fulfilled once");
            UsefulBytes += size;
        }
    }

    /// <summary>What must hold at any time.</summary>
    private void Check()
    {
        foreach (Provider provider in Scheduler.Providers)
        {
            Assert.AreEqual(provider.Assignments.Sum(static each => (long)each.Want.Bytes), provider.OutstandingBytes);
            Assert.IsLessThanOrEqualTo(ExchangeSettings.Default.MaxWantsPerPeer, provider.Assignments.Count);
            Assert.IsTrue(provider.IsConnected || provider.Assignments.Count == 0);
        }

        Assert.AreEqual(_wanted.Count, Scheduler.OpenCount);
        foreach (Want want in Scheduler.Wants)
            Assert.AreEqual(want.Place == WantPlace.Asked, want.Assignments.Count > 0, $"{want.Place}");
    }
}

public enum Behaviour
{
    Honest,

    /// <summary>Says that it has everything and sends nothing.</summary>
    Silent,

    /// <summary>One byte a second.</summary>
    Trickle,

    Denies,

    /// <summary>The right number of wrong bytes.</summary>
    Wrong,
}

internal sealed class SimulatedProvider
{
    public required PeerId Peer { get; init; }

    public double BytesPerSecond { get; set; }

    public TimeSpan RoundTrip { get; init; }

    public Behaviour Behaviour { get; set; }

    public int StallsAfter { get; set; } = int.MaxValue;

    public bool IsCandidate { get; init; }

    public bool ComesLater { get; set; }

    public LinkedList<(WantEntry Entry, TimeSpan At)> Queue { get; } = [];

    public double HeadBytes { get; set; }

    public double Fraction { get; set; }

    public int Delivered { get; set; }

    public int Messages { get; set; }
}
