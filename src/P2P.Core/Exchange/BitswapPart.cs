using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>What the reader of messages has come across.</summary>
internal enum BitswapPartKind
{
    /// <summary>A line of a wantlist: <see cref="BitswapPart.Want"/>.</summary>
    Want,

    /// <summary>The wantlist is complete; <see cref="BitswapPart.Flag"/>: it replaces everything wanted before.</summary>
    WantlistEnd,

    /// <summary>The sender has (<see cref="BitswapPart.Flag"/>) or lacks the block <see cref="BitswapPart.Cid"/>.</summary>
    Presence,

    /// <summary>A block of <see cref="BitswapPart.Length"/> bytes begins: the caller says where it goes with <see cref="BitswapReader.Accept"/>.</summary>
    BlockStart,

    /// <summary>A block is complete in <see cref="BitswapPart.Buffer"/>, which is the caller's now. Not told of blocks that were not accepted.</summary>
    Block,

    /// <summary>A message is complete.</summary>
    MessageEnd,
}

/// <summary>One thing found in the bytes of messages.</summary>
internal readonly record struct BitswapPart(BitswapPartKind Kind)
{
    public WantEntry Want { get; init; }

    public Cid Cid { get; init; }

    public bool Flag { get; init; }

    /// <summary>The size of the block (bytes). Not checked against anything but the message's length.</summary>
    public int Length { get; init; }

    public BlockPrefix Prefix { get; init; }

    public BlockBuffer? Buffer { get; init; }
}
