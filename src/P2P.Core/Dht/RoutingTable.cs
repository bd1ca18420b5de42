namespace P2P.Core.Dht;

/// <summary>
/// The contacts of a node, in buckets by the length of the prefix that they share with its own key (Kademlia, 2.2 and 2.4). The last bucket holds all that
/// share more and is split when it is full. Who came first stays as long as it answers.
/// </summary>
/// <remarks>Owns no clock, no lock and no I/O. Only contacts that answered may be admitted; what others tell is a lookup's business.</remarks>
internal sealed class RoutingTable(DhtKey own, RoutingTableSettings settings)
{
    private readonly List<KBucket> _buckets = [new KBucket()];
    private readonly Dictionary<NetworkGroup, int> _groups = [];

    /// <summary>The point that the buckets are counted from.</summary>
    public DhtKey Own => own;

    /// <summary>Contacts in it.</summary>
    public int Count { get; private set; }

    /// <summary>Buckets, the last one for all longer prefixes.</summary>
    public int BucketCount => _buckets.Count;

    /// <summary>One bucket.</summary>
    public KBucket Bucket(int index) => _buckets[index];

    /// <summary>The bucket of a key.</summary>
    public int BucketOf(in DhtKey key) => Math.Min(own.CommonPrefixLength(key), _buckets.Count - 1);

    /// <summary>Whether a contact is in it.</summary>
    public bool Contains(in DhtKey key) => _buckets[BucketOf(key)].IndexOf(key) >= 0;

    /// <summary>A contact that is in it; null when it is not.</summary>
    public Contact? Find(in DhtKey key)
    {
        KBucket bucket = _buckets[BucketOf(key)];
        int index = bucket.IndexOf(key);
        return index < 0 ? null : bucket.At(index).Contact;
    }

    /// <summary>Offers a contact that has just answered.</summary>
    /// <param name="contact">Who.</param>
    /// <param name="group">Where it is connected from.</param>
    /// <param name="now">Time since the start.</param>
    /// <param name="isReplaceable">Whether it may give way later: while the table is being filled.</param>
    public AdmitResult Admit(Contact contact, NetworkGroup group, TimeSpan now, bool isReplaceable = false)
    {
        if (contact.Key == own)
            return AdmitResult.Self;
        int prefix = own.CommonPrefixLength(contact.Key);
        KBucket bucket = _buckets[Math.Min(prefix, _buckets.Count - 1)];
        int index = bucket.IndexOf(contact.Key);
        if (index >= 0)
        {
            ref KBucket.Entry entry = ref bucket.At(index);
            entry = entry with { Contact = contact.Addresses.Count > 0 ? contact : entry.Contact, LastSeen = now };
            return AdmitResult.Renewed;
        }

        if (group.IsLimited && IsTooMany(group, prefix, bucket))
            return AdmitResult.TooManyOfGroup;
        while (bucket.Count >= settings.BucketSize && ReferenceEquals(bucket, _buckets[^1]) && _buckets.Count < DhtKey.Bits)
        {
            Split();
            bucket = _buckets[Math.Min(prefix, _buckets.Count - 1)];
        }

        if (bucket.Count >= settings.BucketSize && !TryGiveWay(bucket))
        {
            bucket.Remember(contact, settings.MaxReplacements);
            return AdmitResult.Full;
        }

        bucket.Add(new KBucket.Entry(contact, now, group, isReplaceable));
        Count++;
        if (group.IsLimited)
            _groups[group] = _groups.GetValueOrDefault(group) + 1;
        return AdmitResult.Added;
    }

    /// <summary>A contact answered: its place is renewed.</summary>
    public void Seen(in DhtKey key, TimeSpan now)
    {
        KBucket bucket = _buckets[BucketOf(key)];
        int index = bucket.IndexOf(key);
        if (index >= 0)
            bucket.At(index).LastSeen = now;
    }

    /// <summary>Takes a contact out that did not answer or no longer takes part.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="candidate">One that was waiting for the place: to be asked, and offered when it answers.</param>
    public bool Remove(in DhtKey key, out Contact? candidate)
    {
        KBucket bucket = _buckets[BucketOf(key)];
        candidate = null;
        int index = bucket.IndexOf(key);
        if (index < 0)
        {
            bucket.Forget(key);
            return false;
        }

        NetworkGroup group = bucket.RemoveAt(index).Group;
        Count--;
        if (group.IsLimited)
            ReleaseGroup(group);
        candidate = bucket.TakeReplacement();
        return true;
    }

    /// <summary>Contacts that did not answer for a while, the longest silent first: to be asked, and removed when they stay silent.</summary>
    /// <param name="now">Time since the start.</param>
    /// <param name="silence">How long.</param>
    /// <param name="max">How many at most.</param>
    public List<Contact> FindSilent(TimeSpan now, TimeSpan silence, int max)
    {
        List<KBucket.Entry> silent = [];
        foreach (KBucket bucket in _buckets)
        {
            foreach (ref readonly KBucket.Entry entry in bucket.Entries)
            {
                if (now - entry.LastSeen >= silence)
                    silent.Add(entry);
            }
        }

        silent.Sort(static (a, b) => a.LastSeen != b.LastSeen ? a.LastSeen.CompareTo(b.LastSeen) : a.Contact.Key.CompareTo(b.Contact.Key));
        return [.. silent.Take(max).Select(static entry => entry.Contact)];
    }

    /// <summary>The table is filled: from now on who came first stays.</summary>
    public void KeepAll()
    {
        foreach (KBucket bucket in _buckets)
        {
            for (int i = 0; i < bucket.Count; i++)
                bucket.At(i).IsReplaceable = false;
        }
    }

    /// <summary>The contacts closest to a point, the closest first.</summary>
    /// <param name="target">The point.</param>
    /// <param name="closest">Room for them; as many as fit are looked for.</param>
    /// <returns>How many there are.</returns>
    public int Closest(DhtKey target, Span<Contact> closest)
    {
        int prefix = BucketOf(target), found = 0;
        Take(_buckets[prefix], target, closest, 0, ref found);
        if (found < closest.Length)
        {
            // all of these share exactly the prefix that the target shares with us: one group
            int begin = found;
            for (int i = prefix + 1; i < _buckets.Count; i++)
                Take(_buckets[i], target, closest, begin, ref found);
        }

        for (int i = prefix - 1; i >= 0 && found < closest.Length; i--)
            Take(_buckets[i], target, closest, found, ref found);
        return found;
    }

    /// <summary>The contacts closest to a point, the closest first.</summary>
    public Contact[] Closest(DhtKey target, int count)
    {
        var closest = new Contact[Math.Min(count, Count)];
        int found = Closest(target, closest);
        return found == closest.Length ? closest : closest[..found];
    }

    /// <summary>All contacts, bucket by bucket.</summary>
    public IEnumerable<Contact> All
    {
        get
        {
            foreach (KBucket bucket in _buckets)
            {
                for (int i = 0; i < bucket.Count; i++)
                    yield return bucket.At(i).Contact;
            }
        }
    }

    /// <summary>Puts the contacts of a bucket among those found behind <paramref name="begin"/>, in order, as far as there is room.</summary>
    private static void Take(KBucket bucket, in DhtKey target, Span<Contact> closest, int begin, ref int found)
    {
        foreach (ref readonly KBucket.Entry entry in bucket.Entries)
        {
            Contact contact = entry.Contact;
            if (found == closest.Length && (begin == found || target.CompareDistance(closest[found - 1].Key, contact.Key) <= 0))
                continue;
            int at = found < closest.Length ? found++ : found - 1;
            while (at > begin && target.CompareDistance(closest[at - 1].Key, contact.Key) > 0)
            {
                closest[at] = closest[at - 1];
                at--;
            }

            closest[at] = contact;
        }
    }

    private void Split()
    {
        KBucket last = _buckets[^1];
        int prefix = _buckets.Count - 1;
        KBucket near = new() { LastUsed = last.LastUsed }, far = new() { LastUsed = last.LastUsed };
        foreach (ref readonly KBucket.Entry entry in last.Entries)
            (own.CommonPrefixLength(entry.Contact.Key) > prefix ? near : far).Add(entry);
        foreach (Contact candidate in last.Replacements)
            (own.CommonPrefixLength(candidate.Key) > prefix ? near : far).Remember(candidate, settings.MaxReplacements);
        _buckets[^1] = far;
        _buckets.Add(near);
    }

    private bool TryGiveWay(KBucket bucket)
    {
        for (int i = bucket.Count - 1; i >= 0; i--)
        {
            if (!bucket.At(i).IsReplaceable)
                continue;
            NetworkGroup group = bucket.RemoveAt(i).Group;
            Count--;
            if (group.IsLimited)
                ReleaseGroup(group);
            return true;
        }

        return false;
    }

    private bool IsTooMany(NetworkGroup group, int prefix, KBucket bucket)
    {
        if (_groups.GetValueOrDefault(group) >= settings.MaxPerGroup)
            return true;
        int same = 0;
        foreach (ref readonly KBucket.Entry entry in bucket.Entries)
        {
            if (entry.Group == group && own.CommonPrefixLength(entry.Contact.Key) == prefix)
                same++;
        }

        return same >= settings.MaxPerGroupAndPrefix;
    }

    private void ReleaseGroup(NetworkGroup group)
    {
        int left = _groups[group] - 1;
        if (left == 0)
            _groups.Remove(group);
        else
            _groups[group] = left;
    }
}
