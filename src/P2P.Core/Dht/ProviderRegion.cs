namespace P2P.Core.Dht;

/// <summary>
/// The part of the keyspace around a key in which twenty nodes are expected, and whether the twenty closest look as if somebody had made them. Whoever
/// surrounds a key with identities of their own crowds out the twenty closest, but not this region: telling and asking everybody in it reaches the honest
/// ones too (Sridhar et al., NDSS 2024; SR-DHT-Store, arXiv 2505.01139).
/// </summary>
/// <param name="Key">Its middle.</param>
/// <param name="Reach">How far it reaches: a part of the keyspace, 0 to 1.</param>
internal readonly record struct ProviderRegion(DhtKey Key, double Reach)
{
    /// <summary>More of a region are not asked (count): 20 honest ones, and so many others that keeping them would be dear.</summary>
    public const int MaxExtraRequests = 400;

    private const int K = RoutingTableSettings.K;

    /// <summary>
    /// Twenty closest within a part where fewer than this are expected are suspected: by chance once in 1,500 lookups when the size of the network is known,
    /// and below 1 % with an estimate that is 15 % too low. Who escapes by fewer identities leaves about nine honest ones among the twenty.
    /// </summary>
    private static readonly double LeastExpected = Poisson.MeanFor(K - 1, 1 - (1 / 1_500.0));

    private static readonly double MostExpected = Poisson.MeanFor(K - 1, 1 / 1_500.0);

    /// <summary>The region of a key in a network of this size.</summary>
    public static ProviderRegion Of(DhtKey key, double networkSize) => new(key, Math.Min(1, K / Math.Max(1, networkSize)));

    /// <summary>Whether a point is in it.</summary>
    public bool Contains(in DhtKey key) => KeyDistance.Of(Key, key) <= Reach;

    /// <summary>Whether the closest stand far denser around the key than nodes anywhere else.</summary>
    /// <param name="closest">The closest that answered, the closest first.</param>
    public bool IsSuspicious(IReadOnlyList<Contact> closest) =>
        Reach < 1 && closest.Count >= K && KeyDistance.Of(Key, closest[K - 1].Key) * (K / Reach) < LeastExpected;

    /// <summary>
    /// Whether nodes must be missing among the closest: so few in so large a part of the keyspace are there by chance once in 1,500 lookups when the size of
    /// the network is known.
    /// </summary>
    /// <param name="closest">The closest that answered, the closest first.</param>
    public bool IsSparse(IReadOnlyList<Contact> closest) =>
        Reach < 1 && closest.Count >= K && KeyDistance.Of(Key, closest[K - 1].Key) * (K / Reach) > MostExpected;
}
