namespace P2P.Core.Replication;

/// <summary>Why a holder does not take what it was offered. The numbers are the wire's.</summary>
internal enum RefusalReason
{
    /// <summary>Nothing was refused.</summary>
    None = 0,

    /// <summary>What it offers is used up.</summary>
    Full = 1,

    /// <summary>It is not among the closest holders that it knows.</summary>
    TooFar = 2,

    /// <summary>It does not take blocks of this publisher.</summary>
    Policy = 3,

    /// <summary>The lease lasts longer than 30 days.</summary>
    LeaseTooLong = 4,

    /// <summary>A block is larger than any may be.</summary>
    TooBig = 5,

    /// <summary>The lease is not sound, not for this network, ended, or not the newest.</summary>
    Invalid = 6,
}
