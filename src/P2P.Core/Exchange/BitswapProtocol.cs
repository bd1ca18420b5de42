namespace P2P.Core.Exchange;

/// <summary>The constants of bitswap 1.2.0 as spoken on the wire.</summary>
internal static class BitswapProtocol
{
    /// <summary>The only version spoken: it is the first with have and dont-have, and everyone who matters has it.</summary>
    public const string Id = "/ipfs/bitswap/1.2.0";

    /// <summary>The longest message taken or sent (bytes), as others have it.</summary>
    public const int MaxMessageBytes = 4 << 20;

    /// <summary>The most entries of one wantlist (count). Others send a few hundred and keep 1,024 of ours; whoever sends this many means harm.</summary>
    public const int MaxWantlistEntries = 65_536;

    /// <summary>The longest entry of a wantlist or presence taken (bytes): a CID of 150 and a few numbers.</summary>
    public const int MaxEntryBytes = 512;

    /// <summary>The longest block prefix taken (bytes): four varints.</summary>
    public const int MaxPrefixBytes = 40;

    /// <summary>A want-have of a block up to this size is answered with the block (bytes), as go does; Helia expects it below.</summary>
    public const int MaxBlockInsteadOfHaveBytes = 1_024;

    /// <summary>
    /// Streams that were silent for this long are closed and opened anew for the next message: Helia aborts them after 10 s, and what is written
    /// into an aborted stream is lost without a word.
    /// </summary>
    public static readonly TimeSpan StreamIdleLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A stream that a peer opened and says nothing on for this long is reset, so that nobody keeps places by holding streams open. Go keeps one open
    /// for its wants and opens another when that one has ended.
    /// </summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(60);
}
