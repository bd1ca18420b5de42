namespace P2P.Core.Dht;

/// <summary>The numbers of a lookup.</summary>
internal sealed record LookupSettings
{
    /// <summary>The standard ones.</summary>
    public static LookupSettings Default { get; } = new();

    /// <summary>Contacts wanted (count): the k of the network.</summary>
    public int K { get; init; } = RoutingTableSettings.K;

    /// <summary>Contacts asked at the same time (count). 10, as all implementations of this network use; the paper's 3 makes lookups slow.</summary>
    public int Alpha { get; init; } = 10;

    /// <summary>So many of the nearest must have answered before the walk ends and the rest of the k is asked (count).</summary>
    public int Beta { get; init; } = 3;

    /// <summary>Contacts taken from one answer (count); twice the k is what an honest peer may tell.</summary>
    public int MaxPerResponse { get; init; } = 2 * RoutingTableSettings.K;

    /// <summary>Contacts of one network group in one answer (count): with more, all of that group are left out.</summary>
    public int MaxPerGroupInResponse { get; init; } = 3;

    /// <summary>Contacts known at a time (count): the farthest that was not asked gives way. Bounds the memory of a lookup.</summary>
    public int MaxContacts { get; init; } = 512;

    /// <summary>Contacts asked in all (count): hostile peers could otherwise lead a lookup on for ever.</summary>
    public int MaxRequests { get; init; } = 200;

    /// <summary>Who has not answered for so long no longer holds one of the alpha places.</summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>The end does not wait for who has not answered for so long: two packets lost in a row, each sent again by TCP after 1 and 2 s. Before the end it may still answer.</summary>
    public TimeSpan AbandonAfter { get; init; } = TimeSpan.FromSeconds(4);
}
