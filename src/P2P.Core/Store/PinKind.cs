namespace P2P.Core.Store;

/// <summary>Why blocks are kept, and whether peers may have them (D9). The numbers are stored: never change them.</summary>
internal enum PinKind
{
    /// <summary>An import or fetch at work. Taken before the first write; gone at the next start unless resume state names it. Not served.</summary>
    Temporary = 0,

    /// <summary>Kept because the user said so. Not served.</summary>
    Kept = 1,

    /// <summary>Fetched content: its inner nodes are kept, its files lie where the user wanted them. Not served.</summary>
    Fetched = 2,

    /// <summary>Shared by this node's user. Served.</summary>
    Shared = 3,

    /// <summary>Fetched content that its user serves on. Served.</summary>
    Seeded = 4,

    /// <summary>Replicas held for others. Served.</summary>
    Held = 5,
}

/// <summary>What follows from a kind.</summary>
internal static class PinKindRules
{
    /// <summary>Whether peers may be told of blocks under such a pin.</summary>
    public static bool IsServed(this PinKind kind) => kind is PinKind.Shared or PinKind.Seeded or PinKind.Held;
}
