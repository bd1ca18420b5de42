namespace P2P.Core;

/// <summary>Why content is kept.</summary>
public enum PinPurpose
{
    /// <summary>An import, fetch or pin that is not finished; the same call goes on with it.</summary>
    InProgress,

    /// <summary>The user asked to keep it. Not served.</summary>
    Pinned,

    /// <summary>Fetched; its files lie where the user wanted them. Not served.</summary>
    Fetched,

    /// <summary>Shared. Served.</summary>
    Shared,

    /// <summary>Fetched and served on.</summary>
    Seeded,

    /// <summary>Held for others. Served.</summary>
    Held,
}
