namespace P2P.Core.Dht;

/// <summary>Whom a lookup begins with that is to show whether others find what was announced.</summary>
internal static class ReadBack
{
    /// <summary>
    /// Contacts none of which the announcing lookup began with, from the far side of the keyspace first: as a stranger would come. When the table holds too
    /// few others, the farthest of all.
    /// </summary>
    /// <param name="all">The contacts of the table.</param>
    /// <param name="key">What was announced.</param>
    /// <param name="began">What the announcing lookup began with.</param>
    /// <param name="count">How many are wanted.</param>
    public static Contact[] Seeds(IEnumerable<Contact> all, DhtKey key, IReadOnlyCollection<Contact> began, int count)
    {
        HashSet<DhtKey> avoided = [];
        foreach (Contact contact in began)
            avoided.Add(contact.Key);
        List<Contact> far = [.. all];
        far.Sort((a, b) => key.CompareDistance(b.Key, a.Key));
        List<Contact> seeds = far.FindAll(contact => !avoided.Contains(contact.Key));
        if (seeds.Count < Math.Min(3, far.Count))
            seeds = far; // a network so small that everybody is near
        return [.. seeds.GetRange(0, Math.Min(count, seeds.Count))];
    }
}
