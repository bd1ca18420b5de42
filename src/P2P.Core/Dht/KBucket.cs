namespace P2P.Core.Dht;

/// <summary>One bucket: contacts in the order in which they were admitted, the senior first, and a few candidates for the places of those that fail.</summary>
internal sealed class KBucket
{
    private Entry[] _entries = [];
    private Contact[] _replacements = [];
    private int _replacementCount;

    /// <summary>Contacts in it.</summary>
    public int Count { get; private set; }

    /// <summary>The contacts.</summary>
    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, Count);

    /// <summary>Candidates, the oldest first.</summary>
    public ReadOnlySpan<Contact> Replacements => _replacements.AsSpan(0, _replacementCount);

    /// <summary>When a lookup last went through this part of the keyspace (time since the start).</summary>
    public TimeSpan LastUsed { get; set; }

    /// <summary>The place of a contact; negative when it is not here.</summary>
    public int IndexOf(in DhtKey key)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_entries[i].Contact.Key == key)
                return i;
        }

        return -1;
    }

    /// <summary>One entry, to be changed in place.</summary>
    public ref Entry At(int index) => ref _entries[index];

    /// <summary>Puts a contact last.</summary>
    public void Add(in Entry entry)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Math.Max(4, Count + (Count / 2)));
        _entries[Count++] = entry;
        Forget(entry.Contact.Key);
    }

    /// <summary>Takes a contact out; the others keep their order.</summary>
    public Entry RemoveAt(int index)
    {
        Entry removed = _entries[index];
        _entries.AsSpan(index + 1, Count - index - 1).CopyTo(_entries.AsSpan(index));
        _entries[--Count] = default;
        return removed;
    }

    /// <summary>Keeps a candidate, as the latest; the oldest goes when there are too many.</summary>
    public void Remember(Contact contact, int max)
    {
        Forget(contact.Key);
        if (max == 0)
            return;
        if (_replacementCount == max)
            RemoveReplacementAt(0);
        if (_replacementCount == _replacements.Length)
            Array.Resize(ref _replacements, Math.Min(max, Math.Max(2, _replacementCount * 2)));
        _replacements[_replacementCount++] = contact;
    }

    /// <summary>Takes the latest candidate out; null when there is none.</summary>
    public Contact? TakeReplacement()
    {
        if (_replacementCount == 0)
            return null;
        Contact latest = _replacements[--_replacementCount];
        _replacements[_replacementCount] = null!;
        return latest;
    }

    /// <summary>Drops a candidate.</summary>
    public bool Forget(in DhtKey key)
    {
        for (int i = 0; i < _replacementCount; i++)
        {
            if (_replacements[i].Key == key)
            {
                RemoveReplacementAt(i);
                return true;
            }
        }

        return false;
    }

    private void RemoveReplacementAt(int index)
    {
        _replacements.AsSpan(index + 1, _replacementCount - index - 1).CopyTo(_replacements.AsSpan(index));
        _replacements[--_replacementCount] = null!;
    }

    /// <summary>A contact as a bucket keeps it: small, because a simulation holds tens of millions.</summary>
    /// <param name="Contact">Who.</param>
    /// <param name="LastSeen">When it last answered (time since the start).</param>
    /// <param name="Group">Where it is connected from.</param>
    /// <param name="IsReplaceable">Admitted while the table was being filled: gives way to another one.</param>
    internal record struct Entry(Contact Contact, TimeSpan LastSeen, NetworkGroup Group, bool IsReplaceable);
}
