using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>A row of the index with its key.</summary>
internal readonly record struct KeyedRow(MultihashKey Key, BlockRow Row)
{
    /// <summary>The block as raw bytes: the index does not know what they are for.</summary>
    public Cid Cid
    {
        get
        {
            Span<byte> bytes = stackalloc byte[2 + Key.ByteLength];
            (bytes[0], bytes[1]) = (1, (byte)Cid.RawCodec);
            Key.CopyTo(bytes[2..]);
            return Cid.TryFromBytes(bytes, out Cid cid, out _) ? cid : default;
        }
    }
}

/// <summary>One place of one block that is to be read and hashed.</summary>
/// <param name="Block">Which row of the slice.</param>
/// <param name="Kind">Which kind of place.</param>
/// <param name="Source">The stretch, for a source file.</param>
/// <param name="Order">Where it lies: checks are made in this order, so that a disk is read forward.</param>
internal readonly record struct BlockCheck(int Block, BlockPlaces Kind, SourcePlace Source, long Order);

/// <summary>What became of a check.</summary>
internal enum CheckOutcome : byte
{
    /// <summary>The bytes are right.</summary>
    Right,

    /// <summary>They are wrong, too few, or the store's own file is gone.</summary>
    Wrong,

    /// <summary>The source file is not there or cannot be read.</summary>
    Missing,

    /// <summary>It proves nothing: the file is being written.</summary>
    Skipped,

    /// <summary>Wrong, in a file of which a later import says other things: a loss only when nothing else has the block.</summary>
    Stale,
}

/// <summary>A place that is not right.</summary>
internal sealed record DamagedPlace(KeyedRow Block, BlockCheck Check, CheckOutcome Outcome, StoreFinding Finding);
