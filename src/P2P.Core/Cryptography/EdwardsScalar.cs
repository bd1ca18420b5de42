using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// Arithmetic modulo L = 2^252 + 27742317777372353535851937790883648493, the order of edwards25519's base point, on little-endian 64-bit words.
/// Constant time: loops run to fixed lengths and corrections are masked.
/// </summary>
internal static class EdwardsScalar
{
    internal const int Bytes = 32;

    private const int Words = 4;

    private static ReadOnlySpan<ulong> Order => [0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000];

    /// <summary>floor(2^512 / L), for Barrett's reduction.</summary>
    private static ReadOnlySpan<ulong> Reciprocal => [0xed9ce5a30a2c131b, 0x2106215d086329a7, 0xffffffffffffffeb, 0xffffffffffffffff, 0xf];

    /// <summary>Whether a little-endian value is below L, as RFC 8032, section 5.1.7, asks of S.</summary>
    internal static bool IsCanonical(ReadOnlySpan<byte> scalar)
    {
        Span<ulong> value = stackalloc ulong[Words];
        Span<ulong> difference = stackalloc ulong[Words];
        Read(scalar, value);
        return Subtract(difference, value, Order) == 1;
    }

    /// <summary>Reduces 64 little-endian bytes modulo L.</summary>
    internal static void Reduce(ReadOnlySpan<byte> wide, Span<byte> result)
    {
        Span<ulong> value = stackalloc ulong[2 * Words];
        Read(wide, value);
        ReduceWords(value, result);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(value));
    }

    /// <summary>Computes (a x b + c) mod L for 32-byte operands below 2^255.</summary>
    internal static void MultiplyAdd(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, Span<byte> result)
    {
        Span<ulong> left = stackalloc ulong[Words];
        Span<ulong> right = stackalloc ulong[Words];
        Span<ulong> addend = stackalloc ulong[2 * Words];
        Span<ulong> sum = stackalloc ulong[2 * Words];
        Read(a, left);
        Read(b, right);
        addend.Clear();
        Read(c, addend[..Words]);
        Multiply(sum, left, right);

        UInt128 carry = 0;
        for (int i = 0; i < sum.Length; i++)
        {
            carry += (UInt128)sum[i] + addend[i];
            sum[i] = (ulong)carry;
            carry >>= 64;
        }

        ReduceWords(sum, result);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(left));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(right));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(addend));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(sum));
    }

    /// <summary>Barrett: the estimated quotient is at most 2 too small (Handbook of Applied Cryptography, 14.42), so two masked subtractions end it.</summary>
    private static void ReduceWords(ReadOnlySpan<ulong> value, Span<byte> result)
    {
        Span<ulong> estimate = stackalloc ulong[10];
        Multiply(estimate, value[3..], Reciprocal);
        Span<ulong> multiple = stackalloc ulong[9];
        Multiply(multiple, estimate[5..], Order);

        Span<ulong> rest = stackalloc ulong[5];
        Span<ulong> reduced = stackalloc ulong[5];
        Span<ulong> order = stackalloc ulong[5];
        order[4] = 0;
        Order.CopyTo(order);
        Subtract(rest, value[..5], multiple[..5]);
        for (int round = 0; round < 2; round++)
        {
            ulong keep = 0 - Subtract(reduced, rest, order);
            for (int i = 0; i < rest.Length; i++)
                rest[i] = (rest[i] & keep) | (reduced[i] & ~keep);
        }

        for (int i = 0; i < Words; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(result[(8 * i)..], rest[i]);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(estimate));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(multiple));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(rest));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(reduced));
    }

    private static void Multiply(Span<ulong> product, ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        product.Clear();
        for (int i = 0; i < a.Length; i++)
        {
            ulong carry = 0;
            for (int j = 0; j < b.Length; j++)
            {
                UInt128 sum = Math.BigMul(a[i], b[j]) + product[i + j] + carry;
                product[i + j] = (ulong)sum;
                carry = (ulong)(sum >> 64);
            }

            product[i + b.Length] = carry;
        }
    }

    /// <summary>Subtracts, and returns the borrow: 1 when b is larger than a.</summary>
    private static ulong Subtract(Span<ulong> difference, ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        ulong borrow = 0;
        for (int i = 0; i < a.Length; i++)
        {
            UInt128 word = (UInt128)a[i] - b[i] - borrow;
            difference[i] = (ulong)word;
            borrow = (ulong)(word >> 64) & 1;
        }

        return borrow;
    }

    private static void Read(ReadOnlySpan<byte> source, Span<ulong> words)
    {
        for (int i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(source[(8 * i)..]);
    }
}
