using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>How one shard of a large folder is laid out: which bits of a name's hash choose the link, and how a link's name begins.</summary>
/// <param name="BitsUsed">Bits of the hash that the shards above have used.</param>
/// <param name="Bits">Bits of the hash that this shard uses.</param>
internal readonly record struct ShardLayout(int BitsUsed, int Bits)
{
    private const int MaxFanout = 1024;
    private const int HashBits = 64;

    /// <summary>Hexadecimal digits in front of each link's name.</summary>
    public int PrefixDigits => (Bits + 3) / 4;

    /// <summary>Reads it from a shard's fields.</summary>
    /// <exception cref="P2PException">Integrity: no shard can have these.</exception>
    public static ShardLayout From(in Cid cid, UnixFsData data, int bitsUsed)
    {
        ulong fanout = data.Fanout ?? 0;
        if (data.HashType != Multihash.Murmur3X64_64)
            throw ContentFault.Contradiction(in cid, "spreads names by a hash that is not murmur3");
        if (!BitOperations.IsPow2(fanout) || fanout % 8 != 0 || fanout > MaxFanout)
            throw ContentFault.Contradiction(in cid, $"spreads names over {fanout} buckets");
        int bits = BitOperations.Log2(fanout);
        if (bitsUsed + bits > HashBits)
            throw ContentFault.Contradiction(in cid, "is nested deeper than the hash of a name has bits");
        return new ShardLayout(bitsUsed, bits);
    }

    /// <summary>The layout's bucket for a hash. Bits are taken from the most significant end.</summary>
    public int BucketOf(ulong hash) => (int)((hash >> (HashBits - BitsUsed - Bits)) & ((1UL << Bits) - 1));

    /// <summary>Splits a link's name into its bucket and the entry's name, which is empty for a shard below.</summary>
    /// <exception cref="P2PException">Integrity: the prefix is no bucket of this shard.</exception>
    public int SplitName(in Cid cid, ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> entryName)
    {
        int digits = PrefixDigits;
        if (name.Length < digits
            || !Utf8Parser.TryParse(name.Span[..digits], out uint bucket, out int consumed, 'X') || consumed != digits
            || bucket >= 1u << Bits
            || name.Span[..digits].IndexOfAnyInRange((byte)'a', (byte)'f') >= 0)
            throw ContentFault.Contradiction(in cid, "has a link that belongs to no bucket");
        entryName = name[digits..];
        return (int)bucket;
    }

    /// <summary>The prefix of a bucket's links.</summary>
    public string PrefixOf(int bucket) => bucket.ToString("X" + PrefixDigits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
