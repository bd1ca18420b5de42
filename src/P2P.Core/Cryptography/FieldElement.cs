using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// A number modulo p = 2^255 - 19 in five limbs of 51 bits, the field under X25519 and Ed25519. No operation branches on, or indexes by, a value.
/// </summary>
/// <remarks>
/// Limb bounds: "tight" is below 2^51 + 2^13. <see cref="Multiply"/>, <see cref="Square"/> and <see cref="Subtract"/> give tight results.
/// <see cref="Add"/> does not carry, so its bound is the sum of its operands' bounds. <see cref="Multiply"/> and <see cref="Square"/> take
/// limbs below 2^54, <see cref="Subtract"/> limbs below 2^53 - 76. Results may alias operands.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct FieldElement
{
    internal const int Bytes = 32;

    private const ulong LimbMask = (1UL << 51) - 1;

    internal ulong L0;
    internal ulong L1;
    internal ulong L2;
    internal ulong L3;
    internal ulong L4;

    internal FieldElement(ulong l0, ulong l1, ulong l2, ulong l3, ulong l4)
    {
        L0 = l0;
        L1 = l1;
        L2 = l2;
        L3 = l3;
        L4 = l4;
    }

    internal static FieldElement Zero => default;

    internal static FieldElement One => new(1, 0, 0, 0, 0);

    /// <summary>Reads 32 little-endian bytes; bit 255 is ignored and values from p to 2^255 - 1 are taken modulo p.</summary>
    internal static FieldElement FromBytes(ReadOnlySpan<byte> source)
    {
        ulong w0 = BinaryPrimitives.ReadUInt64LittleEndian(source);
        ulong w1 = BinaryPrimitives.ReadUInt64LittleEndian(source[8..]);
        ulong w2 = BinaryPrimitives.ReadUInt64LittleEndian(source[16..]);
        ulong w3 = BinaryPrimitives.ReadUInt64LittleEndian(source[24..]);
        return new FieldElement(
            w0 & LimbMask,
            ((w0 >> 51) | (w1 << 13)) & LimbMask,
            ((w1 >> 38) | (w2 << 26)) & LimbMask,
            ((w2 >> 25) | (w3 << 39)) & LimbMask,
            (w3 >> 12) & LimbMask);
    }

    /// <summary>Writes the canonical form: 32 little-endian bytes of the value below p.</summary>
    internal readonly void WriteBytes(Span<byte> destination)
    {
        FieldElement t = this;
        WeakCarry(ref t);
        WeakCarry(ref t);

        // t < 2^255 + small < 2p, so p fits at most once: q is 1 exactly when t + 19 reaches 2^255.
        ulong q = (t.L0 + 19) >> 51;
        q = (t.L1 + q) >> 51;
        q = (t.L2 + q) >> 51;
        q = (t.L3 + q) >> 51;
        q = (t.L4 + q) >> 51;

        t.L0 += 19 * q;
        t.L1 += t.L0 >> 51;
        t.L2 += t.L1 >> 51;
        t.L3 += t.L2 >> 51;
        t.L4 += t.L3 >> 51;
        t.L0 &= LimbMask;
        t.L1 &= LimbMask;
        t.L2 &= LimbMask;
        t.L3 &= LimbMask;
        t.L4 &= LimbMask;

        BinaryPrimitives.WriteUInt64LittleEndian(destination, t.L0 | (t.L1 << 51));
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], (t.L1 >> 13) | (t.L2 << 38));
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], (t.L2 >> 26) | (t.L3 << 25));
        BinaryPrimitives.WriteUInt64LittleEndian(destination[24..], (t.L3 >> 39) | (t.L4 << 12));
    }

    /// <summary>Adds without a carry; see the type's remarks for the bounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Add(out FieldElement result, in FieldElement a, in FieldElement b)
    {
        ulong l0 = a.L0 + b.L0, l1 = a.L1 + b.L1, l2 = a.L2 + b.L2, l3 = a.L3 + b.L3, l4 = a.L4 + b.L4;
        result.L0 = l0;
        result.L1 = l1;
        result.L2 = l2;
        result.L3 = l3;
        result.L4 = l4;
    }

    /// <summary>Computes a + 4p - b, which no limb of b can turn negative, and carries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Subtract(out FieldElement result, in FieldElement a, in FieldElement b)
    {
        const ulong lowBias = (1UL << 53) - 76;
        const ulong bias = (1UL << 53) - 4;
        ulong l0 = a.L0 + lowBias - b.L0;
        ulong l1 = a.L1 + bias - b.L1;
        ulong l2 = a.L2 + bias - b.L2;
        ulong l3 = a.L3 + bias - b.L3;
        ulong l4 = a.L4 + bias - b.L4;
        result.L0 = (l0 & LimbMask) + ((l4 >> 51) * 19);
        result.L1 = (l1 & LimbMask) + (l0 >> 51);
        result.L2 = (l2 & LimbMask) + (l1 >> 51);
        result.L3 = (l3 & LimbMask) + (l2 >> 51);
        result.L4 = (l4 & LimbMask) + (l3 >> 51);
    }

    internal static void Negate(out FieldElement result, in FieldElement a)
    {
        FieldElement zero = Zero;
        Subtract(out result, in zero, in a);
    }

    /// <summary>Multiplies modulo p, schoolbook with the upper half folded in by 2^255 = 19.</summary>
    internal static void Multiply(out FieldElement result, in FieldElement a, in FieldElement b)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4;
        ulong b0 = b.L0, b1 = b.L1, b2 = b.L2, b3 = b.L3, b4 = b.L4;
        ulong f1 = b1 * 19, f2 = b2 * 19, f3 = b3 * 19, f4 = b4 * 19;

        Wide r0 = Wide.Product(a0, b0);
        r0.Add(a1, f4);
        r0.Add(a2, f3);
        r0.Add(a3, f2);
        r0.Add(a4, f1);

        Wide r1 = Wide.Product(a0, b1);
        r1.Add(a1, b0);
        r1.Add(a2, f4);
        r1.Add(a3, f3);
        r1.Add(a4, f2);

        Wide r2 = Wide.Product(a0, b2);
        r2.Add(a1, b1);
        r2.Add(a2, b0);
        r2.Add(a3, f4);
        r2.Add(a4, f3);

        Wide r3 = Wide.Product(a0, b3);
        r3.Add(a1, b2);
        r3.Add(a2, b1);
        r3.Add(a3, b0);
        r3.Add(a4, f4);

        Wide r4 = Wide.Product(a0, b4);
        r4.Add(a1, b3);
        r4.Add(a2, b2);
        r4.Add(a3, b1);
        r4.Add(a4, b0);

        Fold(out result, r0, r1, r2, r3, r4);
    }

    internal static void Square(out FieldElement result, in FieldElement a)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4;
        ulong d0 = a0 * 2, d1 = a1 * 2, f3 = a3 * 19, f4 = a4 * 19;

        Wide r0 = Wide.Product(a0, a0);
        r0.Add(d1, f4);
        r0.Add(a2 * 2, f3);

        Wide r1 = Wide.Product(d0, a1);
        r1.Add(a2 * 2, f4);
        r1.Add(a3, f3);

        Wide r2 = Wide.Product(d0, a2);
        r2.Add(a1, a1);
        r2.Add(a3 * 2, f4);

        Wide r3 = Wide.Product(d0, a3);
        r3.Add(d1, a2);
        r3.Add(a4, f4);

        Wide r4 = Wide.Product(d0, a4);
        r4.Add(d1, a3);
        r4.Add(a2, a2);

        Fold(out result, r0, r1, r2, r3, r4);
    }

    /// <summary>Multiplies by a small public constant (below 2^32).</summary>
    internal static void MultiplySmall(out FieldElement result, in FieldElement a, uint factor) => Fold(
        out result,
        Wide.Product(a.L0, factor),
        Wide.Product(a.L1, factor),
        Wide.Product(a.L2, factor),
        Wide.Product(a.L3, factor),
        Wide.Product(a.L4, factor));

    /// <summary>a^(p-2), the inverse; zero gives zero.</summary>
    internal static void Invert(out FieldElement result, in FieldElement a)
    {
        PowerOf250Ones(out FieldElement ones, out FieldElement a11, in a);
        SquareTimes(out ones, in ones, 5);
        Multiply(out result, in ones, in a11);
    }

    /// <summary>a^((p-5)/8), the core of the square root (RFC 8032, section 5.1.3).</summary>
    internal static void PowerForRoot(out FieldElement result, in FieldElement a)
    {
        FieldElement copy = a;
        PowerOf250Ones(out FieldElement ones, out _, in a);
        SquareTimes(out ones, in ones, 2);
        Multiply(out result, in ones, in copy);
    }

    /// <summary>Exchanges a and b when <paramref name="bit"/> is 1, leaves them when it is 0, in the same time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Exchange(ref FieldElement a, ref FieldElement b, ulong bit)
    {
        ulong mask = 0 - bit;
        ulong x0 = mask & (a.L0 ^ b.L0), x1 = mask & (a.L1 ^ b.L1), x2 = mask & (a.L2 ^ b.L2), x3 = mask & (a.L3 ^ b.L3), x4 = mask & (a.L4 ^ b.L4);
        a.L0 ^= x0;
        a.L1 ^= x1;
        a.L2 ^= x2;
        a.L3 ^= x3;
        a.L4 ^= x4;
        b.L0 ^= x0;
        b.L1 ^= x1;
        b.L2 ^= x2;
        b.L3 ^= x3;
        b.L4 ^= x4;
    }

    /// <summary>Replaces this value with <paramref name="other"/> where <paramref name="mask"/> is all ones; all zeros keeps it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Assign(in FieldElement other, ulong mask)
    {
        L0 ^= mask & (L0 ^ other.L0);
        L1 ^= mask & (L1 ^ other.L1);
        L2 ^= mask & (L2 ^ other.L2);
        L3 ^= mask & (L3 ^ other.L3);
        L4 ^= mask & (L4 ^ other.L4);
    }

    /// <summary>Whether the canonical form is odd, which RFC 8032 calls negative: 1 or 0.</summary>
    internal readonly ulong IsNegative()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        WriteBytes(bytes);
        return bytes[0] & 1u;
    }

    internal readonly bool IsZero()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        WriteBytes(bytes);
        return !bytes.ContainsAnyExcept((byte)0);
    }

    internal static bool AreEqual(in FieldElement a, in FieldElement b)
    {
        Subtract(out FieldElement difference, in a, in b);
        return difference.IsZero();
    }

    /// <summary>Overwrites a secret.</summary>
    internal static void Clear(ref FieldElement value) => CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<FieldElement>(ref value)));

    /// <summary>a^(2^250 - 1), and a^11 on the way: the common part of both powers above.</summary>
    private static void PowerOf250Ones(out FieldElement ones, out FieldElement a11, in FieldElement a)
    {
        FieldElement copy = a;
        Square(out FieldElement a2, in copy);
        SquareTimes(out FieldElement t, in a2, 2);
        Multiply(out FieldElement a9, in t, in copy);
        Multiply(out a11, in a9, in a2);
        Square(out t, in a11);
        Multiply(out FieldElement ones5, in t, in a9);
        SquareTimes(out t, in ones5, 5);
        Multiply(out FieldElement ones10, in t, in ones5);
        SquareTimes(out t, in ones10, 10);
        Multiply(out FieldElement ones20, in t, in ones10);
        SquareTimes(out t, in ones20, 20);
        Multiply(out t, in t, in ones20);
        SquareTimes(out t, in t, 10);
        Multiply(out FieldElement ones50, in t, in ones10);
        SquareTimes(out t, in ones50, 50);
        Multiply(out FieldElement ones100, in t, in ones50);
        SquareTimes(out t, in ones100, 100);
        Multiply(out t, in t, in ones100);
        SquareTimes(out t, in t, 50);
        Multiply(out ones, in t, in ones50);
    }

    private static void SquareTimes(out FieldElement result, in FieldElement a, int count)
    {
        Square(out result, in a);
        for (int i = 1; i < count; i++)
            Square(out result, in result);
    }

    private static void WeakCarry(ref FieldElement t)
    {
        ulong c0 = t.L0 >> 51, c1 = t.L1 >> 51, c2 = t.L2 >> 51, c3 = t.L3 >> 51, c4 = t.L4 >> 51;
        t.L0 = (t.L0 & LimbMask) + (c4 * 19);
        t.L1 = (t.L1 & LimbMask) + c0;
        t.L2 = (t.L2 & LimbMask) + c1;
        t.L3 = (t.L3 & LimbMask) + c2;
        t.L4 = (t.L4 & LimbMask) + c3;
    }

    /// <summary>
    /// Brings five sums of products back to tight limbs. With operands below 2^54 no sum exceeds 77 x 2^108, so each carry fits 64 bits;
    /// the last sum has no factor 19, so 19 times its carry fits too.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold(out FieldElement result, Wide r0, Wide r1, Wide r2, Wide r3, Wide r4)
    {
        r1.Add(r0.Carry);
        r2.Add(r1.Carry);
        r3.Add(r2.Carry);
        r4.Add(r3.Carry);
        ulong l0 = (r0.Low & LimbMask) + (r4.Carry * 19);
        result.L0 = l0 & LimbMask;
        result.L1 = (r1.Low & LimbMask) + (l0 >> 51);
        result.L2 = r2.Low & LimbMask;
        result.L3 = r3.Low & LimbMask;
        result.L4 = r4.Low & LimbMask;
    }

    /// <summary>A 128-bit accumulator. Its carries come from comparisons used as values, which compile to flags and not to jumps.</summary>
    private struct Wide
    {
        internal ulong Low;
        private ulong _high;

        internal readonly ulong Carry
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => (Low >> 51) | (_high << 13);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal static Wide Product(ulong a, ulong b)
        {
            Wide wide;
            wide._high = Math.BigMul(a, b, out wide.Low);
            return wide;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void Add(ulong a, ulong b)
        {
            ulong high = Math.BigMul(a, b, out ulong low);
            Low += low;
            _high += high + Unsafe.BitCast<bool, byte>(Low < low);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void Add(ulong value)
        {
            Low += value;
            _high += Unsafe.BitCast<bool, byte>(Low < value);
        }
    }
}
