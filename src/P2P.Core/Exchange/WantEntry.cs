namespace P2P.Core.Exchange;

/// <summary>What is wanted of a block.</summary>
internal enum WantKind
{
    /// <summary>The bytes.</summary>
    Block = 0,

    /// <summary>Only whether the peer has it.</summary>
    Have = 1,
}

/// <summary>One line of a wantlist.</summary>
/// <param name="Cid">The block.</param>
/// <param name="Priority">Higher is served first.</param>
/// <param name="Kind">What is wanted of it.</param>
/// <param name="Cancel">No longer wanted; the rest means nothing then.</param>
/// <param name="SendDontHave">Whether to say so when it is not there.</param>
internal readonly record struct WantEntry(Cid Cid, int Priority, WantKind Kind, bool Cancel, bool SendDontHave)
{
    public static WantEntry ForBlock(in Cid cid, int priority) => new(cid, priority, WantKind.Block, Cancel: false, SendDontHave: true);

    public static WantEntry ForHave(in Cid cid, int priority) => new(cid, priority, WantKind.Have, Cancel: false, SendDontHave: true);

    public static WantEntry ForCancel(in Cid cid) => new(cid, 0, WantKind.Block, Cancel: true, SendDontHave: false);
}
