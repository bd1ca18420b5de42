using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// A stretch of a source file. A sealed block is padded, so its length does not tell that of its stretch: the index keeps both numbers in the place's offset,
/// where 47 bits say where the stretch begins and 16 bits how much longer the padded bytes are.
/// </summary>
/// <param name="Offset">Where it begins (bytes).</param>
/// <param name="Bytes">Its length.</param>
internal readonly record struct SourceStretch(long Offset, int Bytes)
{
    private const int SlackBits = 16;
    private const int SlackMask = (1 << SlackBits) - 1;
    private const long MaxOffset = long.MaxValue >> SlackBits;

    /// <summary>The length of the sealed block of this stretch.</summary>
    public int SealedBytes => BlockSealer.SealedBytes(Cid.RawCodec, Bytes);

    /// <summary>Reads the offset that the index has of a sealed block.</summary>
    public static SourceStretch FromSealed(long offset, int blockBytes) => new(offset >> SlackBits, blockBytes - (int)(offset & SlackMask));

    /// <summary>The offset that the index keeps of a sealed block.</summary>
    public long ToSealedOffset()
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Offset, MaxOffset);
        int slack = SealedBytes - Bytes;
        System.Diagnostics.Debug.Assert(slack is >= 0 and <= SlackMask, "a block of at most 2 MiB is padded by less than 64 KiB");
        return (Offset << SlackBits) | (uint)slack;
    }
}
