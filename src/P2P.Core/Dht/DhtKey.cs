using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace P2P.Core.Dht;

/// <summary>A point of the keyspace: 256 bits, the SHA-256 of what it stands for. Distance is XOR, read as a big-endian number (Maymounkov and Mazieres, 2002).</summary>
internal readonly struct DhtKey : IEquatable<DhtKey>, IComparable<DhtKey>
{
    /// <summary>Its length (bits).</summary>
    public const int Bits = 256;

    /// <summary>Its length (bytes).</summary>
    public const int Bytes = Bits / 8;

    private readonly ulong _a, _b, _c, _d; // big endian: _a holds the first 64 bits

    private DhtKey(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

    /// <summary>The first 64 bits, for estimates.</summary>
    public ulong High => _a;

    public static bool operator ==(DhtKey left, DhtKey right) => left.Equals(right);

    public static bool operator !=(DhtKey left, DhtKey right) => !left.Equals(right);

    public static bool operator <(DhtKey left, DhtKey right) => left.CompareTo(right) < 0;

    public static bool operator >(DhtKey left, DhtKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(DhtKey left, DhtKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(DhtKey left, DhtKey right) => left.CompareTo(right) >= 0;

    /// <summary>The distance between two points.</summary>
    public static DhtKey operator ^(DhtKey left, DhtKey right) => new(left._a ^ right._a, left._b ^ right._b, left._c ^ right._c, left._d ^ right._d);

    /// <summary>The key of what is looked up: a multihash, a peer id's bytes, a record's key. On the wire goes the preimage, never this.</summary>
    public static DhtKey Of(ReadOnlySpan<byte> preimage)
    {
        Span<byte> digest = stackalloc byte[Bytes];
        SHA256.HashData(preimage, digest);
        return FromBytes(digest);
    }

    /// <summary>The key of a peer: the SHA-256 of its multihash.</summary>
    public static DhtKey Of(PeerId peer) => Of(peer.AsSpan());

    /// <summary>Reads 32 bytes, big endian.</summary>
    public static DhtKey FromBytes(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Bytes);
        return new DhtKey(
            BinaryPrimitives.ReadUInt64BigEndian(bytes),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]));
    }

    /// <summary>A random point, uniform.</summary>
    public static DhtKey Random(Random random)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        random.NextBytes(bytes);
        return FromBytes(bytes);
    }

    /// <summary>Whether <paramref name="left"/> is nearer to this point than <paramref name="right"/>: negative when it is, 0 when they are the same point.</summary>
    public int CompareDistance(DhtKey left, DhtKey right)
    {
        int order = (_a ^ left._a).CompareTo(_a ^ right._a);
        if (order != 0)
            return order;
        order = (_b ^ left._b).CompareTo(_b ^ right._b);
        if (order != 0)
            return order;
        order = (_c ^ left._c).CompareTo(_c ^ right._c);
        return order != 0 ? order : (_d ^ left._d).CompareTo(_d ^ right._d);
    }

    /// <summary>How many leading bits two points have in common: 0 to 256.</summary>
    public int CommonPrefixLength(DhtKey other)
    {
        DhtKey distance = this ^ other;
        return distance._a != 0 ? BitOperations.LeadingZeroCount(distance._a)
            : distance._b != 0 ? 64 + BitOperations.LeadingZeroCount(distance._b)
            : distance._c != 0 ? 128 + BitOperations.LeadingZeroCount(distance._c)
            : 192 + BitOperations.LeadingZeroCount(distance._d);
    }

    /// <summary>One bit; 0 is the first.</summary>
    public bool Bit(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Bits);
        ulong word = (index >> 6) switch { 0 => _a, 1 => _b, 2 => _c, _ => _d };
        return ((word >> (63 - (index & 63))) & 1) != 0;
    }

    /// <summary>This point with one bit turned over; 0 is the first.</summary>
    public DhtKey Flip(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Bits);
        ulong mask = 1UL << (63 - (index & 63));
        return (index >> 6) switch
        {
            0 => new DhtKey(_a ^ mask, _b, _c, _d),
            1 => new DhtKey(_a, _b ^ mask, _c, _d),
            2 => new DhtKey(_a, _b, _c ^ mask, _d),
            _ => new DhtKey(_a, _b, _c, _d ^ mask),
        };
    }

    /// <summary>The first bits of this point and the rest of another.</summary>
    public DhtKey WithTail(int prefixBits, DhtKey tail)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(prefixBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixBits, Bits);
        return new DhtKey(Mix(_a, tail._a, prefixBits), Mix(_b, tail._b, prefixBits - 64), Mix(_c, tail._c, prefixBits - 128), Mix(_d, tail._d, prefixBits - 192));
    }

    /// <summary>The next point; after the last comes the first.</summary>
    public DhtKey Successor()
    {
        ulong d = _d + 1, c = d == 0 ? _c + 1 : _c, b = d == 0 && c == 0 ? _b + 1 : _b;
        return new DhtKey(d == 0 && c == 0 && b == 0 ? _a + 1 : _a, b, c, d);
    }

    /// <summary>Writes 32 bytes, big endian.</summary>
    public void WriteBytes(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <inheritdoc/>
    public int CompareTo(DhtKey other) => default(DhtKey).CompareDistance(this, other);

    /// <inheritdoc/>
    public bool Equals(DhtKey other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is DhtKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(_a ^ (_a >> 32)) ^ (int)_d; // uniform already, unless chosen by an attacker at the price of a hash each

    /// <summary>The first 8 hexadecimal digits, for logs.</summary>
    public override string ToString() => (_a >> 32).ToString("x8", CultureInfo.InvariantCulture);

    private static ulong Mix(ulong head, ulong tail, int bits) => bits switch
    {
        <= 0 => tail,
        >= 64 => head,
        _ => (head & (ulong.MaxValue << (64 - bits))) | (tail & (ulong.MaxValue >> bits)),
    };
}
