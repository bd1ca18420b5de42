namespace P2P.Core.Dht;

/// <summary>
/// One iterative lookup (Kademlia, 2.3, with the end condition of libp2p): asks the nearest contacts that it knows for nearer ones, a few at a time, until
/// the nearest few have answered; then asks the rest of the nearest k, so that the result is exact.
/// </summary>
/// <remarks>
/// Owns no I/O and no clock: the caller sends what <see cref="Next"/> asks for and reports back. Only contacts that answered count as found, so one that is
/// told but dead displaces nobody.
/// </remarks>
internal sealed class Lookup : ILookup
{
    private readonly LookupSettings _settings;
    private readonly Func<Contact, LookupClaim>? _claim;
    private readonly DhtKey? _self;
    private readonly List<Node> _nodes; // the nearest first
    private bool _isStopped;
    private int _waiting, _maxRequests;
    private double _reach;

    /// <summary>Begins a lookup.</summary>
    /// <param name="target">The point.</param>
    /// <param name="known">Contacts to begin with, usually the k nearest of the routing table.</param>
    /// <param name="settings">Its numbers.</param>
    /// <param name="self">The node that looks, which is never asked; null when it has no key in this network.</param>
    /// <param name="claim">Whether this lookup may ask a contact, or another path has. Asked once for each contact.</param>
    public Lookup(DhtKey target, ReadOnlySpan<Contact> known, LookupSettings settings, DhtKey? self = null, Func<Contact, LookupClaim>? claim = null)
    {
        (Target, _settings, _self, _claim, _maxRequests) = (target, settings, self, claim, settings.MaxRequests);
        _nodes = new List<Node>(Math.Max(known.Length, 4 * settings.K));
        foreach (Contact contact in known)
            Insert(contact, hops: 0);
    }

    private enum NodeState : byte
    {
        Heard,
        Waiting,
        Answered,
        Taken, // another path has asked it: its place counts, its answer is not ours
        Failed,
    }

    /// <summary>The point that is looked for.</summary>
    public DhtKey Target { get; }

    /// <summary>Contacts asked so far.</summary>
    public int Requests { get; private set; }

    /// <summary>Whether the nearest have answered and only the rest of the k is being asked.</summary>
    public bool IsFollowingUp { get; private set; }

    /// <summary>The nearest contacts that answered, the nearest first, at most k.</summary>
    public List<Contact> Closest
    {
        get
        {
            List<Contact> closest = new(_settings.K);
            for (int i = 0; i < _nodes.Count && closest.Count < _settings.K; i++)
            {
                if (_nodes[i].State == NodeState.Answered)
                    closest.Add(_nodes[i].Contact);
            }

            return closest;
        }
    }

    /// <summary>Everybody who answered, the nearest first: more than <see cref="Closest"/> when the lookup was extended.</summary>
    public List<Contact> Answered
    {
        get
        {
            List<Contact> answered = new(Requests);
            foreach (Node node in _nodes)
            {
                if (node.State == NodeState.Answered)
                    answered.Add(node.Contact);
            }

            return answered;
        }
    }

    /// <summary>The nearest contacts known, asked or not, but for those that failed; at most k.</summary>
    public List<Contact> Nearest
    {
        get
        {
            List<Contact> nearest = new(_settings.K);
            for (int i = 0; i < _nodes.Count && nearest.Count < _settings.K; i++)
            {
                if (_nodes[i].State != NodeState.Failed)
                    nearest.Add(_nodes[i].Contact);
            }

            return nearest;
        }
    }

    /// <summary>By how many contacts, one telling of the next, a contact was reached: 0 from the own table, otherwise one more than who told of it. -1: unknown.</summary>
    public int HopsTo(in DhtKey key)
    {
        int index = IndexOf(key);
        return index < 0 ? -1 : _nodes[index].Hops;
    }

    /// <summary>What to do next. To be called until it says something else than ask.</summary>
    public LookupStep Next(TimeSpan now)
    {
        if (_isStopped)
            return new LookupStep(LookupStepKind.Done);
        int rank = 0, answeredInARow = 0, candidate = -1, open = 0;
        bool isRowUnbroken = true, mayAsk = Requests < _maxRequests;
        TimeSpan until = TimeSpan.MaxValue;
        for (int i = 0; i < _nodes.Count; i++)
        {
            Node node = _nodes[i];
            if (rank >= _settings.K && (_reach == 0 || !IsWithinReach(node.Contact)))
                break;
            switch (node.State)
            {
                case NodeState.Answered:
                    rank++;
                    if (isRowUnbroken)
                        answeredInARow++;
                    break;
                case NodeState.Taken:
                    rank++;
                    break;
                case NodeState.Waiting when now - node.AskedAt < _settings.AbandonAfter:
                    rank++;
                    isRowUnbroken = false;
                    open++;
                    until = Min(until, node.AskedAt + _settings.AbandonAfter);
                    break;
                case NodeState.Heard when mayAsk:
                    rank++;
                    isRowUnbroken = false;
                    if (candidate < 0)
                        candidate = i;
                    break;
                default:
                    continue; // failed, or nobody waits for it any more
            }
        }

        IsFollowingUp = answeredInARow >= _settings.Beta;
        if (candidate >= 0 && CountActive(now, ref until) < _settings.Alpha)
            return Ask(candidate, now);
        return candidate >= 0 || open > 0 ? new LookupStep(LookupStepKind.Wait, Until: until) : new LookupStep(LookupStepKind.Done);
    }

    /// <summary>A contact answered.</summary>
    /// <param name="peer">Who.</param>
    /// <param name="closer">Whom it told of.</param>
    /// <returns>False: it was not asked, or has answered already.</returns>
    public bool OnReply(in DhtKey peer, ReadOnlySpan<Contact> closer)
    {
        int index = IndexOf(peer);
        if (index < 0 || _nodes[index].State != NodeState.Waiting)
            return false;
        Node node = _nodes[index];
        _nodes[index] = node with { State = NodeState.Answered };
        _waiting--;
        int taken = 0;
        foreach (Contact contact in closer)
        {
            if (taken++ == _settings.MaxPerResponse)
                break;
            if (!contact.Group.IsLimited || CountGroup(closer, contact.Group) <= _settings.MaxPerGroupInResponse)
                Insert(contact, node.Hops + 1);
        }

        return true;
    }

    /// <summary>A contact could not be reached or gave no usable answer.</summary>
    /// <returns>False: it was not asked, or has answered already.</returns>
    public bool OnFailure(in DhtKey peer)
    {
        int index = IndexOf(peer);
        if (index < 0 || _nodes[index].State != NodeState.Waiting)
            return false;
        _nodes[index] = _nodes[index] with { State = NodeState.Failed };
        _waiting--;
        return true;
    }

    /// <summary>Another path's contact failed: its place no longer counts here either.</summary>
    public void OnTakenFailed(in DhtKey peer)
    {
        int index = IndexOf(peer);
        if (index >= 0 && _nodes[index].State is NodeState.Taken or NodeState.Heard)
            _nodes[index] = _nodes[index] with { State = NodeState.Failed };
    }

    /// <summary>
    /// From now on everybody near the target is asked, not only the nearest k: when those are suspected of having been made to stand there. May be called
    /// after the lookup has said that it is done; it then goes on.
    /// </summary>
    /// <param name="reach">How near: a part of the keyspace, 0 to 1.</param>
    /// <param name="extraRequests">How many more may be asked than the settings say (count).</param>
    public void Extend(double reach, int extraRequests)
    {
        _reach = Math.Max(_reach, reach);
        _maxRequests = _settings.MaxRequests + extraRequests;
    }

    /// <summary>Ends it: what was looked for is found.</summary>
    public void Stop() => _isStopped = true;

    private bool IsWithinReach(Contact contact) => KeyDistance.Of(Target, contact.Key) <= _reach;

    private LookupStep Ask(int index, TimeSpan now)
    {
        Node node = _nodes[index];
        LookupClaim claim = _claim?.Invoke(node.Contact) ?? LookupClaim.Granted;
        if (claim != LookupClaim.Granted)
        {
            _nodes[index] = node with { State = claim == LookupClaim.Taken ? NodeState.Taken : NodeState.Failed };
            return Next(now);
        }

        _nodes[index] = node with { State = NodeState.Waiting, AskedAt = now };
        _waiting++;
        Requests++;
        return new LookupStep(LookupStepKind.Ask, node.Contact);
    }

    /// <summary>Everybody who was asked and is not slow yet, also those that are not among the nearest any more; and when the next one will be slow.</summary>
    private int CountActive(TimeSpan now, ref TimeSpan until)
    {
        if (_waiting < _settings.Alpha)
            return _waiting;
        int active = 0;
        foreach (Node node in _nodes)
        {
            if (node.State != NodeState.Waiting || now - node.AskedAt >= _settings.SlowAfter)
                continue;
            active++;
            until = Min(until, node.AskedAt + _settings.SlowAfter);
        }

        return active;
    }

    private void Insert(Contact contact, int hops)
    {
        if (contact.Key == _self)
            return;
        int index = IndexOf(contact.Key);
        if (index >= 0)
            return;
        index = ~index;
        if (_nodes.Count >= _settings.MaxContacts)
        {
            int farthest = _nodes.FindLastIndex(static node => node.State is NodeState.Heard or NodeState.Failed);
            if (farthest < index)
                return;
            _nodes.RemoveAt(farthest);
        }

        _nodes.Insert(index, new Node(contact, NodeState.Heard, (short)Math.Min(hops, short.MaxValue), default));
    }

    /// <summary>Where a contact is, or the complement of where it would be.</summary>
    private int IndexOf(in DhtKey key)
    {
        int low = 0, high = _nodes.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = Target.CompareDistance(_nodes[middle].Contact.Key, key);
            if (order == 0)
                return middle;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return ~low;
    }

    private static int CountGroup(ReadOnlySpan<Contact> contacts, NetworkGroup group)
    {
        int count = 0;
        foreach (Contact contact in contacts)
        {
            if (contact.Group == group)
                count++;
        }

        return count;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private readonly record struct Node(Contact Contact, NodeState State, short Hops, TimeSpan AskedAt);
}
