namespace P2P.Core.Dht;

/// <summary>
/// Judges what a lookup has found by how many nodes there should be, and lets it go on when chance does not make such a result. Too dense: somebody surrounds
/// the key, and everybody in its region is asked. Too sparse: hostile contacts told of each other only, and crowded out the honest ones that lead on; then
/// those that were heard of and not asked are asked too, the nearest first, until the result is as dense as it should be.
/// </summary>
/// <param name="region">Where twenty nodes are expected; null: it is not known how many there are, and every result is believed.</param>
/// <param name="isWholeRegion">Whether a dense result matters: it does where others store something at the key, or look for it.</param>
internal sealed class LookupDefence(ProviderRegion? region, bool isWholeRegion)
{
    /// <summary>How often a sparse lookup is widened (count), fourfold each time: from twice the reach of the result to all of the keyspace in most networks.</summary>
    private const int MaxWidenings = 6;

    /// <summary>Contacts more that each widening may ask (count).</summary>
    private const int RequestsPerWidening = 40;

    private int _widenings;
    private double _reach;

    /// <summary>Whether everybody in the region was asked: all of them have to keep what belongs to the key.</summary>
    public bool IsRegion { get; private set; }

    /// <summary>To be called when the lookup has come to its end: true, and it goes on.</summary>
    public bool TryExtend(ILookup lookup)
    {
        if (region is not { } expected)
            return false;
        List<Contact> closest = lookup.Closest;
        if (isWholeRegion && !IsRegion && expected.IsSuspicious(closest))
        {
            IsRegion = true;
            lookup.Extend(expected.Reach, ProviderRegion.MaxExtraRequests);
            return true;
        }

        if (_widenings == MaxWidenings || !expected.IsSparse(closest))
            return false;
        _widenings++;
        _reach = _widenings == 1 ? 2 * KeyDistance.Of(expected.Key, closest[^1].Key) : Math.Min(1, 4 * _reach);
        lookup.Extend(_reach, RequestsPerWidening * _widenings);
        return true;
    }

    /// <summary>Those who have to keep what belongs to the key, once the lookup has ended.</summary>
    public IReadOnlyList<Contact> ResponsibleOf(ILookup lookup)
    {
        List<Contact> closest = lookup.Closest;
        return IsRegion ? [.. lookup.Answered.Where(contact => region!.Value.Contains(contact.Key)).Union(closest)] : closest;
    }
}
