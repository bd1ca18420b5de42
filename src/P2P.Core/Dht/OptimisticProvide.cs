namespace P2P.Core.Dht;

/// <summary>
/// Tells the closest nodes of a provider while they are still being looked for (Optimistic Provide, INFOCOM 2024): who is so near that, by the size of the
/// network, it is probably one of the twenty closest is told at once; and the announcement counts as made when most have answered.
/// </summary>
/// <remarks>Owns no I/O: the caller tells whom it names and reports back.</remarks>
/// <param name="target">The key.</param>
/// <param name="networkSize">How many nodes there are; null: not known, and everybody is told at the end.</param>
internal sealed class OptimisticProvide(DhtKey target, double? networkSize)
{
    private const int K = RoutingTableSettings.K;

    /// <summary>So many of 20 that took it are enough for who waits (count); the rest goes on behind.</summary>
    private const int Enough = 15;

    /// <summary>Contacts told before the lookup has ended (count): a wrong estimate must not make everybody on the way a target.</summary>
    private const int MaxEarly = K;

    /// <summary>How sure it must be that a node is one of the 20 closest, and that the 20 found are the right ones.</summary>
    private const double Certainty = 0.9;

    // in a part of the keyspace where so many are expected there are fewer than 20, as surely as said
    private static readonly double NearExpected = Poisson.MeanFor(K - 1, Certainty);

    // the mean rank of the 20 closest is 10.5; a set that lies nearer than what 9 of 10 right sets do is complete
    private static readonly double SetExpected = Poisson.MeanFor(K / 2, 1 - Certainty);

    private readonly Dictionary<DhtKey, bool?> _told = []; // null: has not answered
    private int _wanted = K;

    /// <summary>Those that took it.</summary>
    public int Taken { get; private set; }

    /// <summary>Those that were told, whatever came of it.</summary>
    public int Told => _told.Count;

    /// <summary>Whether enough have taken it for the announcement to be called made.</summary>
    public bool IsEnough => Taken >= Math.Min(Enough, _wanted);

    /// <summary>Whether nobody who was told is still to answer.</summary>
    public bool IsAnswered => !_told.ContainsValue(null);

    /// <summary>Whom to tell now, the lookup still running.</summary>
    public List<Contact> Early(Lookup lookup)
    {
        List<Contact> early = [];
        if (networkSize is not { } size)
            return early;
        foreach (Contact contact in lookup.Nearest)
        {
            if (_told.Count >= MaxEarly || KeyDistance.Of(target, contact.Key) * size > NearExpected)
                break; // the nearest come first
            if (_told.TryAdd(contact.Key, null))
                early.Add(contact);
        }

        return early;
    }

    /// <summary>Whether the nearest that answered are so near that the lookup need not go on.</summary>
    public bool IsLookupEnough(ILookup lookup)
    {
        if (networkSize is not { } size)
            return false;
        List<Contact> closest = lookup.Closest;
        if (closest.Count < K)
            return false;
        double sum = 0;
        foreach (Contact contact in closest)
            sum += KeyDistance.Of(target, contact.Key);
        return sum / K * size < SetExpected;
    }

    /// <summary>Whom to tell when the lookup has ended: those of the result that were not told yet.</summary>
    /// <param name="closest">The result; more than 20 when a whole region has to be told.</param>
    public List<Contact> Rest(IReadOnlyList<Contact> closest)
    {
        _wanted = closest.Count;
        List<Contact> rest = [];
        foreach (Contact contact in closest)
        {
            if (_told.TryAdd(contact.Key, null))
                rest.Add(contact);
        }

        return rest;
    }

    /// <summary>Who was told has taken it, or not.</summary>
    public void OnAnswer(in DhtKey contact, bool isTaken)
    {
        if (!_told.TryGetValue(contact, out bool? before) || before is not null)
            return;
        _told[contact] = isTaken;
        Taken += isTaken ? 1 : 0;
    }

    /// <summary>How many of these have taken it: what is said to who asked for the announcement.</summary>
    public int TakenOf(IReadOnlyList<Contact> closest)
    {
        int taken = 0;
        foreach (Contact contact in closest)
            taken += _told.TryGetValue(contact.Key, out bool? answer) && answer == true ? 1 : 0;
        return taken;
    }
}
