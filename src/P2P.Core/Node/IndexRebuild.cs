namespace P2P.Core;

/// <summary>When the index of the store is made anew.</summary>
public enum IndexRebuild
{
    /// <summary>Never: a damaged one fails the start.</summary>
    Never,

    /// <summary>When it cannot be opened, or is gone although there is content.</summary>
    WhenDamaged,

    /// <summary>At this start in any case.</summary>
    Always,
}
