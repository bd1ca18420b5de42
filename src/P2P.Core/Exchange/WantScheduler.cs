using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>
/// Decides which provider is asked for which block. Each provider has a window of wanted bytes sized by its speed and distance; a block goes to whoever
/// is expected to deliver it first. What is late is asked of someone else, and when nothing is left to hand out, idle providers duplicate what
/// the slow ones hold. Owns no I/O: what is to be sent collects in <see cref="Provider.Outbox"/>, and the caller reports what came.
/// </summary>
internal sealed partial class WantScheduler(Cid root, ExchangeSettings settings)
{
    /// <summary>Providers of one session; more would not make it faster. One bit each in the wants' masks.</summary>
    public const int MaxProviders = 64;

    /// <summary>Blocks of which it is remembered where they are expected (count); beyond, all is forgotten and asked for.</summary>
    private const int MaxExpected = 65_536;

    /// <summary>Wants at a provider that has not delivered yet, while others have: what a liar can hold up.</summary>
    private const int MaxWantsAtStranger = 2;

    /// <summary>Wants that may be set aside in one round because those who have room lack them, before the round ends.</summary>
    private const int MaxSetAside = 64;

    /// <summary>What an unmeasured provider is assumed to do (bytes a second) when no other was measured either.</summary>
    private const double AssumedRate = 20e6;

    // a block is asked again after max(2 s, 4 x its expected time); while there are others nobody is expected to be more than 16 times slower
    // than the fastest, so that a crawling peer does not hold it for ever
    private static readonly TimeSpan MinPatience = TimeSpan.FromSeconds(2);
    private const int PatienceFactor = 4, MaxSlowness = 16;

    /// <summary>What everybody lacks is asked again this often: peers get blocks too.</summary>
    private static readonly TimeSpan AskAgainInterval = TimeSpan.FromSeconds(10);

    /// <summary>A provider that waited for our own limit a moment ago is likely to wait for it again: between two turns nobody does.</summary>
    private static readonly TimeSpan HeldBackFor = TimeSpan.FromSeconds(1);

    private static readonly IComparer<Want> FirstComesFirst = Comparer<Want>.Create(static (a, b) =>
        a.IsCritical != b.IsCritical ? (a.IsCritical ? -1 : 1) : a.Sequence.CompareTo(b.Sequence));

    private readonly Dictionary<MultihashKey, Want> _wants = [];
    private readonly SortedSet<Want> _queue = new(FirstComesFirst);
    private readonly HashSet<Want> _starved = [];
    private readonly HashSet<Want> _critical = [];
    private readonly List<Want> _setAside = [];
    private readonly List<Provider> _providers = [];
    private readonly MultihashKey _rootKey = root.Key;
    private readonly Dictionary<MultihashKey, ulong> _expected = []; // which of the providers of parts are expected to have it
    private ulong _parts; // providers of parts only
    private long _sequence;
    private TimeSpan _lastTick;
    private TimeSpan? _heldBackAt;
    private TimeSpan _lastAskAgain;

    /// <summary>Blocks that are wanted.</summary>
    public int OpenCount => _wants.Count;

    /// <summary>Bytes that are wanted, as far as sizes are known.</summary>
    public long OpenBytes { get; private set; }

    /// <summary>Bytes that came a second time.</summary>
    public long DuplicateBytes { get; private set; }

    public IReadOnlyList<Provider> Providers => _providers;

    /// <summary>Whether our own limit on the line is what decides how fast blocks come.</summary>
    public bool IsHeldBack => _heldBackAt is { } at && _lastTick - at < HeldBackFor;

    /// <summary>Wants that nobody may have.</summary>
    public int StarvedCount => _starved.Count;

    /// <summary>All open wants, to end them. Not while anything else is called.</summary>
    public IReadOnlyCollection<Want> Wants => _wants.Values;

    public bool TryGetWant(in MultihashKey key, [NotNullWhen(true)] out Want? want) => _wants.TryGetValue(key, out want);

    public Provider? Find(PeerId peer) => _providers.Find(provider => provider.Peer == peer);

    /// <summary>Adds a want. The caller made sure that there is none for the same block.</summary>
    public Want Add(in WantRequest request, int expectedBytes, bool isCritical, TimeSpan now)
    {
        var want = new Want { Cid = request.Cid, Key = request.Cid.Key, ExpectedBytes = expectedBytes, IsCritical = isCritical, Sequence = _sequence++ };
        want.Requests.Add(request);
        want.Lacking = _parts & ~_expected.GetValueOrDefault(want.Key);
        _wants.Add(want.Key, want);
        OpenBytes += want.Bytes;
        if (isCritical)
            _critical.Add(want);
        Enqueue(want);
        HandOut(now);
        return want;
    }

    /// <summary>Somebody waits for a block that was wanted with less haste.</summary>
    public void MakeCritical(Want want, TimeSpan now)
    {
        if (want.IsCritical)
            return;
        bool queued = _queue.Remove(want);
        want.IsCritical = true;
        _critical.Add(want);
        if (!queued)
            return;
        _queue.Add(want);
        HandOut(now);
    }

    /// <summary>A want is given up.</summary>
    public void Cancel(Want want, TimeSpan now)
    {
        Finish(want, deliveredBy: null, now);
        HandOut(now);
    }

    /// <summary>A connected peer is likely to have the content, or (a candidate) may have it. Also when a provider is connected again.</summary>
    public void AddProvider(PeerId peer, bool isCandidate, TimeSpan? roundTrip, TimeSpan now)
    {
        Provider? provider = Find(peer);
        if (provider is null)
        {
            provider = Insert(peer, isCandidate, now);
            if (provider is null)
                return;
        }
        else if (provider.IsConnected && (isCandidate || !provider.IsCandidate))
        {
            return;
        }
        else
        {
            provider.IsCandidate &= isCandidate;
            Forget(provider);
            provider.OnReconnected();
        }

        provider.SetLatency(roundTrip);
        if (provider.IsCandidate)
            provider.Outbox.Add(WantEntry.ForHave(root, int.MaxValue));
        else
            OnMoreToAsk(now);
    }

    private Provider? Insert(PeerId peer, bool isCandidate, TimeSpan now)
    {
        if (FreeIndex(isCandidate, now) is not { } index)
            return null;
        var provider = new Provider(peer, index, Math.Min(settings.InitialWantedBytesPerPeer, settings.MaxWantedBytesPerPeer)) { IsCandidate = isCandidate, LastBytes = now };
        _providers.Add(provider);
        return provider;
    }

    /// <summary>A connected peer is likely to have these blocks and hardly any others: it is asked for others only when nobody has them.</summary>
    public void AddProviderOfPart(PeerId peer, IReadOnlyCollection<MultihashKey> blocks, TimeSpan? roundTrip, TimeSpan now)
    {
        bool isNew = Find(peer) is not { IsCandidate: false };
        if ((Find(peer) ?? Insert(peer, isCandidate: false, now)) is not { } provider)
            return;
        if (!provider.IsConnected)
            provider.OnReconnected();
        provider.SetLatency(roundTrip);
        provider.IsCandidate = false;
        if (_expected.Count + blocks.Count > MaxExpected)
            _expected.Clear();
        foreach (MultihashKey key in blocks)
            _expected[key] = _expected.GetValueOrDefault(key) | provider.Bit;
        if (isNew)
            _parts |= provider.Bit;
        if ((_parts & provider.Bit) == 0)
            return;
        foreach (Want want in _wants.Values)
        {
            if (isNew && want.Assignments.Count == 0)
                want.Lacking |= provider.Bit;
        }

        foreach (MultihashKey key in blocks)
        {
            if (_wants.TryGetValue(key, out Want? want))
                want.Lacking &= ~provider.Bit;
        }

        OnMoreToAsk(now);
    }

    /// <summary>Wants that nobody has, each once in a while.</summary>
    public List<Cid> TakeStarved(TimeSpan now, TimeSpan interval, int max)
    {
        List<Cid> starved = [];
        foreach (Want want in _starved)
        {
            if (starved.Count == max)
                break;
            if (want.ReportedAt is { } at && now - at < interval)
                continue;
            want.ReportedAt = now;
            starved.Add(want.Cid);
        }

        return starved;
    }

    /// <summary>A provider's connection is gone: its wants go to the others.</summary>
    public void OnLost(PeerId peer, TimeSpan now)
    {
        if (Find(peer) is not { IsConnected: true } provider)
            return;
        provider.IsConnected = false;
        provider.Outbox.Clear();
        TakeBack(provider, now);
        HandOut(now);
    }

    /// <summary>A provider is connected and yet cannot be asked: its wants go to the others, and nobody waits for it.</summary>
    public void OnUseless(PeerId peer, TimeSpan now)
    {
        Find(peer)?.OnBrokenPromise();
        OnLost(peer, now);
        OnGone(peer);
    }

    /// <summary>A block came and its hash is right. Returns the want that it fulfils; null: this session does not want it.</summary>
    public Want? OnBlock(PeerId peer, in MultihashKey key, int bytes, TimeSpan now)
    {
        Provider? provider = Find(peer);
        if (!_wants.TryGetValue(key, out Want? want))
            return null;
        provider?.OnBlock(bytes);
        Finish(want, provider, now);
        provider?.Measure(now, settings.MaxWantedBytesPerPeer, settings.MaxWantsPerPeer);
        if (provider is { IsCandidate: true })
        {
            provider.IsCandidate = false;
            OnMoreToAsk(now);
        }
        else
        {
            HandOut(now);
        }

        return want;
    }

    /// <summary>A block came that this session wanted and already has.</summary>
    public void OnDuplicate(int bytes) => DuplicateBytes += bytes;

    /// <summary>A provider sent a block that matches no want of anyone: it counts as its answer to one of its wants. False: it was asked nothing.</summary>
    public bool OnWrongBlock(PeerId peer, int bytes, TimeSpan now)
    {
        if (Find(peer) is not { Assignments.First: not null } provider)
            return false;
        provider.WrongBlocks++;
        provider.OnBrokenPromise();
        Assignment? answered = provider.Assignments.FirstOrDefault(assignment => assignment.Want.ExpectedBytes == bytes) ?? provider.Assignments.First?.Value;
        if (answered is null)
            return false;
        Want want = answered.Want;
        // the first wrong answer may be an accident of its disk, which it notices when asked again; the second is its last
        if ((want.Wrong & provider.Bit) != 0)
            want.Lacking |= provider.Bit;
        want.Wrong |= provider.Bit;
        want.Tried |= provider.Bit;
        provider.Release(answered, now, settings.MaxWantsPerPeer);
        if (want.Assignments.Count == 0)
            Enqueue(want);
        HandOut(now);
        return true;
    }

    public void OnHave(PeerId peer, in MultihashKey key, TimeSpan now)
    {
        if (Find(peer) is not { } provider)
            return;
        provider.LacksRoot = false;
        if (provider.IsCandidate && key == _rootKey)
        {
            provider.IsCandidate = false;
            OnMoreToAsk(now);
        }
        else if (_wants.TryGetValue(key, out Want? want) && (want.Lacking & ~want.Wrong & provider.Bit) != 0)
        {
            // this want only: who denies and offers in turns must not have all that starve looked at each time
            want.Lacking &= ~provider.Bit;
            if (_starved.Remove(want))
                Enqueue(want);
            if (want.Place == WantPlace.Queued)
                HandOut(now);
        }
    }

    public void OnDontHave(PeerId peer, in MultihashKey key, TimeSpan now)
    {
        if (Find(peer) is not { } provider)
            return;
        if (key == _rootKey)
            provider.LacksRoot = true;
        if (!_wants.TryGetValue(key, out Want? want))
            return;
        Assignment? assignment = want.Assignments.Find(each => each.Provider == provider);
        want.Lacking |= provider.Bit;
        if (assignment is null)
            return;
        provider.OnDenial();
        provider.LastBytes = now;
        provider.Release(assignment, now, settings.MaxWantsPerPeer);
        if (want.Assignments.Count == 0)
            Enqueue(want);
        HandOut(now);
    }

    /// <summary>Bytes of accepted blocks came from a provider, verified or not.</summary>
    public void OnBytes(PeerId peer, long bytes, TimeSpan now)
    {
        if (bytes > 0)
            Find(peer)?.OnBytes(bytes, now);
    }

    /// <summary>What a provider was asked may have got lost with the stream that carried it: everything is put into its outbox again.</summary>
    public void AskAgain(PeerId peer, TimeSpan now)
    {
        if (Find(peer) is not { IsConnected: true } provider)
            return;
        provider.Outbox.Clear();
        if (provider.IsCandidate)
            provider.Outbox.Add(WantEntry.ForHave(root, int.MaxValue));
        foreach (Assignment assignment in provider.Assignments)
        {
            assignment.At = now;
            provider.Outbox.Add(WantEntry.ForBlock(assignment.Want.Cid, PriorityOf(assignment.Want)));
        }
    }

    /// <summary>The line that asked a provider for a block which has not come yet.</summary>
    public WantEntry? FindAsked(PeerId peer, in MultihashKey key) =>
        _wants.TryGetValue(key, out Want? want) && want.Assignments.Exists(assignment => assignment.Provider.Peer == peer) ? WantEntry.ForBlock(want.Cid, PriorityOf(want)) : null;

    /// <summary>A provider that was lost could not be reached again for a while.</summary>
    public void OnGone(PeerId peer)
    {
        if (Find(peer) is { IsConnected: false } provider)
            provider.IsGone = true;
    }

    /// <summary>Time passes: measures, finds what is late and duplicates it. Called some twenty times a second while wants are open.</summary>
    /// <param name="now">Time since the session began.</param>
    /// <param name="isBlocked">We are the ones who cannot keep up (the disk, the hashing): nobody is late now.</param>
    /// <param name="isHeldBack">Whether what a peer sends waits for our own limit on the line: that one is not late.</param>
    public void Tick(TimeSpan now, bool isBlocked, Func<PeerId, bool>? isHeldBack = null)
    {
        TimeSpan elapsed = now - _lastTick;
        _lastTick = now;
        foreach (Provider provider in _providers)
        {
            if (!provider.IsAvailable || provider.Assignments.Count == 0)
                continue;
            if (isBlocked)
            {
                Excuse(provider, now, elapsed);
                continue;
            }

            provider.Measure(now, settings.MaxWantedBytesPerPeer, settings.MaxWantsPerPeer);
            if (isHeldBack?.Invoke(provider.Peer) ?? false)
            {
                _heldBackAt = now;
                Excuse(provider, now, elapsed);
                continue;
            }

            FindLate(provider, now);
        }

        if (now - _lastAskAgain > AskAgainInterval)
        {
            _lastAskAgain = now;
            AskAgainForStarved(now);
        }

        HandOut(now);
        if (isBlocked || IsHeldBack)
            return; // asking twice would only cost more of what is short
        HedgeCritical(now);
        if (_queue.Count == 0)
            DuplicateForIdle(now);
    }

    /// <summary>
    /// Wants that everyone who may have the block answered with other bytes, taken out of the plan: nobody is left to ask.
    /// Call only when nobody else can be expected to come.
    /// </summary>
    public IReadOnlyList<Want> TakeHopeless(TimeSpan now)
    {
        if (_starved.Count == 0 || _providers.Exists(static provider => !provider.IsConnected && !provider.IsGone && !provider.IsCandidate))
            return [];
        List<Want> hopeless = [.. _starved.Where(static want => want.Wrong != 0)];
        foreach (Want want in hopeless)
            Finish(want, deliveredBy: null, now);
        return hopeless;
    }

    private static int PriorityOf(Want want)
    {
        const int half = 1 << 30;
        int order = (int)(want.Sequence % half);
        return (want.IsCritical ? int.MaxValue : half) - order;
    }

    /// <summary>A place for another provider. One that was named to us comes before those who only say so themselves and have delivered nothing.</summary>
    private int? FreeIndex(bool forCandidate, TimeSpan now)
    {
        if (_providers.Count < MaxProviders)
            return _providers.Count;
        Provider? useless = _providers.Find(static provider => !provider.IsConnected && !provider.IsProven)
            ?? _providers.Find(static provider => provider is { IsCandidate: true, LacksRoot: true });
        if (useless is null && !forCandidate)
        {
            useless = _providers.Find(static provider => provider.IsCandidate)
                ?? _providers.Find(static provider => provider is { IsLastResort: true, IsProven: false });
        }

        if (useless is null)
            return null;
        TakeBack(useless, now);
        Forget(useless);
        ForgetPart(useless);
        _providers.Remove(useless);
        return useless.Index;
    }

    /// <summary>What it said about the wants counts no longer.</summary>
    private void Forget(Provider provider)
    {
        foreach (Want want in _wants.Values)
        {
            want.Lacking &= ~provider.Bit;
            want.Tried &= ~provider.Bit;
            want.Wrong &= ~provider.Bit;
        }
    }

    private void ForgetPart(Provider provider)
    {
        if ((_parts & provider.Bit) == 0)
            return;
        _parts &= ~provider.Bit;
        foreach (MultihashKey key in _expected.Keys.ToList())
            _expected[key] &= ~provider.Bit;
    }

    private void Enqueue(Want want)
    {
        Debug.Assert(want.Place != WantPlace.Done && want.Assignments.Count == 0, "only an open want that nobody was asked for waits");
        want.Place = WantPlace.Queued;
        _queue.Add(want);
    }

    private void Finish(Want want, Provider? deliveredBy, TimeSpan now)
    {
        while (want.Assignments.Count > 0)
        {
            Assignment assignment = want.Assignments[^1];
            if (assignment.Provider != deliveredBy && assignment.Provider.IsConnected)
                assignment.Provider.Outbox.Add(WantEntry.ForCancel(want.Cid));
            assignment.Provider.Release(assignment, now, settings.MaxWantsPerPeer);
        }

        want.Place = WantPlace.Done;
        _queue.Remove(want);
        _starved.Remove(want);
        _critical.Remove(want);
        if (_wants.Remove(want.Key))
            OpenBytes -= want.Bytes;
    }

    private void TakeBack(Provider provider, TimeSpan now)
    {
        while (provider.Assignments.First is { } first)
        {
            Want want = first.Value.Want;
            provider.Release(first.Value, now, settings.MaxWantsPerPeer);
            if (want.Assignments.Count == 0)
                Enqueue(want);
        }
    }

    /// <summary>A provider came, or turned out to have something: what starved gets another chance.</summary>
    private void OnMoreToAsk(TimeSpan now)
    {
        foreach (Want want in _starved)
            Enqueue(want);
        _starved.Clear();
        HandOut(now);
    }

    private void AskAgainForStarved(TimeSpan now)
    {
        foreach (Want want in _starved)
            want.Lacking &= want.Wrong;
        foreach (Provider provider in _providers)
        {
            if (provider is { IsConnected: true, IsCandidate: true })
                provider.Outbox.Add(WantEntry.ForHave(root, int.MaxValue));
        }

        if (_starved.Count > 0)
            OnMoreToAsk(now);
    }

    /// <summary>Gives waiting wants to providers with room, the most urgent first.</summary>
    private void HandOut(TimeSpan now)
    {
        while (_setAside.Count < MaxSetAside && _queue.Min is { } want)
        {
            _queue.Remove(want);
            Provider? provider = Choose(want, out bool isPossible);
            if (provider is not null)
            {
                Ask(want, provider, now);
            }
            else if (isPossible)
            {
                _setAside.Add(want);
                if (!want.IsCritical && !_providers.Exists(each => each.IsAvailable && HasRoom(each, want)))
                    break;
            }
            else
            {
                want.Place = WantPlace.Starved;
                _starved.Add(want);
            }
        }

        foreach (Want want in _setAside)
            _queue.Add(want);
        _setAside.Clear();
    }

    private void Ask(Want want, Provider provider, TimeSpan now)
    {
        want.Place = WantPlace.Asked;
        provider.Assign(want, now, settings.MaxWantsPerPeer);
        provider.Outbox.Add(WantEntry.ForBlock(want.Cid, PriorityOf(want)));
    }

    /// <summary>Who is expected to deliver it first, among those who may have it and have room.</summary>
    /// <param name="want">The want.</param>
    /// <param name="isPossible">Whether anybody may have it, with or without room.</param>
    private Provider? Choose(Want want, out bool isPossible)
    {
        isPossible = false;
        // first those who did not let it time out, then anyone; in both rounds those of last resort only when there is nobody else
        for (int round = 0; round < 2 && !isPossible; round++)
        {
            ulong excluded = want.Lacking | (round == 0 ? want.Tried : 0);
            Provider? best = ChooseAmong(want, excluded, lastResort: false, ref isPossible);
            if (!isPossible)
                best = ChooseAmong(want, excluded, lastResort: true, ref isPossible);
            if (best is not null)
                return best;
        }

        return null;
    }

    private Provider? ChooseAmong(Want want, ulong excluded, bool lastResort, ref bool isPossible)
    {
        Provider? best = null;
        TimeSpan bestTime = TimeSpan.MaxValue;
        double assumed = TypicalRate();
        foreach (Provider provider in _providers)
        {
            if (!provider.IsAvailable || provider.IsLastResort != lastResort || (excluded & provider.Bit) != 0 || IsAsked(want, provider))
                continue;
            isPossible = true;
            if (!HasRoom(provider, want))
                continue;
            TimeSpan time = provider.PromisingTimeFor(provider.OutstandingBytes + want.Bytes, assumed);
            // what others wait for goes to who has delivered before
            if (want.IsCritical && !provider.IsProven)
                time += MinPatience;
            if (time < bestTime)
                (best, bestTime) = (provider, time);
        }

        return best;
    }

    private static bool IsAsked(Want want, Provider provider) => want.Assignments.Exists(assignment => assignment.Provider == provider);

    private bool HasRoom(Provider provider, Want want)
    {
        int count = provider.Assignments.Count;
        if (count >= settings.MaxWantsPerPeer)
            return false;
        if (want.IsCritical || count == 0)
            return true;
        if ((provider.IsLastResort || !provider.IsProven) && count >= MaxWantsAtStranger && HasProvenOther(provider))
            return false;
        return provider.IsFilling && provider.OutstandingBytes + want.Bytes <= provider.WindowBytes;
    }

    private bool HasProvenOther(Provider provider)
    {
        foreach (Provider other in _providers)
        {
            if (other != provider && other is { IsAvailable: true, IsProven: true, IsLastResort: false })
                return true;
        }

        return false;
    }

    private double TypicalRate()
    {
        double best = 0;
        foreach (Provider provider in _providers)
            best = Math.Max(best, provider.IsConnected ? provider.Rate : 0);
        return best > 0 ? best : AssumedRate;
    }
}
