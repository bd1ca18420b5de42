using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// Multiples of the base point for secret scalars. The table holds (j + 1) x 256^i x B for i below 32, j below 8; every lookup reads all
/// eight entries of its row and keeps one by mask, so neither time nor memory access depends on the scalar.
/// </summary>
internal static class EdwardsBase
{
    private const int Rows = 32;
    private const int RowEntries = 8;
    private const int Digits = 64;

    private static readonly AffineCachedPoint[] Table = BuildTable();

    /// <summary>Computes scalar x B for a little-endian scalar below 2^255.</summary>
    internal static void Multiply(out EdwardsPoint result, ReadOnlySpan<byte> scalar)
    {
        Span<sbyte> digits = stackalloc sbyte[Digits];
        Recode(scalar, digits);

        // The odd digits first, 16 x their sum, then the even ones: one table for both.
        result = EdwardsPoint.Identity;
        AffineCachedPoint entry = default;
        for (int i = 1; i < Digits; i += 2)
        {
            Select(ref entry, i / 2, digits[i]);
            EdwardsPoint.Add(out result, in result, in entry);
        }

        for (int i = 0; i < 4; i++)
            EdwardsPoint.Double(out result, in result);
        for (int i = 0; i < Digits; i += 2)
        {
            Select(ref entry, i / 2, digits[i]);
            EdwardsPoint.Add(out result, in result, in entry);
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(digits));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<AffineCachedPoint>(ref entry)));
    }

    /// <summary>Rewrites the scalar as 64 digits from -8 to 7 in radix 16 (the last may be 8).</summary>
    private static void Recode(ReadOnlySpan<byte> scalar, Span<sbyte> digits)
    {
        int carry = 0;
        for (int i = 0; i < Digits; i++)
        {
            int digit = ((scalar[i >> 1] >> (4 * (i & 1))) & 15) + carry;
            carry = ((digit + 8) >> 4) & LastDigitMask(i);
            digits[i] = (sbyte)(digit - (carry << 4));
        }
    }

    /// <summary>The last digit takes no carry out: the scalar is below 2^255, so it stays at most 8.</summary>
    private static int LastDigitMask(int index) => index == Digits - 1 ? 0 : -1;

    /// <summary>Loads digit x 256^row x B; a zero digit gives the neutral point.</summary>
    private static void Select(ref AffineCachedPoint entry, int row, int digit)
    {
        int sign = digit >> 31;
        uint magnitude = (uint)((digit ^ sign) - sign);
        entry.YPlusX = FieldElement.One;
        entry.YMinusX = FieldElement.One;
        entry.DoubleDTimesT = FieldElement.Zero;

        ReadOnlySpan<AffineCachedPoint> entries = Table.AsSpan(row * RowEntries, RowEntries);
        for (int i = 0; i < entries.Length; i++)
        {
            // All ones when magnitude = i + 1: only then does the subtraction borrow into bit 63.
            ulong mask = (ulong)((long)((ulong)(magnitude ^ (uint)(i + 1)) - 1) >> 63);
            ref readonly AffineCachedPoint candidate = ref entries[i];
            entry.YPlusX.Assign(in candidate.YPlusX, mask);
            entry.YMinusX.Assign(in candidate.YMinusX, mask);
            entry.DoubleDTimesT.Assign(in candidate.DoubleDTimesT, mask);
        }

        entry.NegateIf((ulong)(sign & 1));
    }

    private static AffineCachedPoint[] BuildTable()
    {
        EdwardsPoint[] points = new EdwardsPoint[Rows * RowEntries];
        EdwardsPoint rowBase = EdwardsConstants.Base;
        for (int row = 0; row < Rows; row++)
        {
            CachedPoint step = new(in rowBase);
            Span<EdwardsPoint> entries = points.AsSpan(row * RowEntries, RowEntries);
            entries[0] = rowBase;
            for (int i = 1; i < RowEntries; i++)
                EdwardsPoint.Add(out entries[i], in entries[i - 1], in step);
            rowBase = entries[RowEntries - 1];
            for (int i = 0; i < 5; i++)
                EdwardsPoint.Double(out rowBase, in rowBase);
        }

        return ToAffine(points);
    }

    /// <summary>Divides by all Z with one inversion (Montgomery's trick).</summary>
    private static AffineCachedPoint[] ToAffine(ReadOnlySpan<EdwardsPoint> points)
    {
        FieldElement[] prefixes = new FieldElement[points.Length];
        FieldElement product = FieldElement.One;
        for (int i = 0; i < points.Length; i++)
        {
            prefixes[i] = product;
            FieldElement.Multiply(out product, in product, in points[i].Z);
        }

        FieldElement.Invert(out FieldElement inverse, in product);
        AffineCachedPoint[] table = new AffineCachedPoint[points.Length];
        for (int i = points.Length - 1; i >= 0; i--)
        {
            ref readonly EdwardsPoint point = ref points[i];
            FieldElement.Multiply(out FieldElement zInverse, in inverse, in prefixes[i]);
            FieldElement.Multiply(out inverse, in inverse, in point.Z);
            FieldElement.Multiply(out FieldElement x, in point.X, in zInverse);
            FieldElement.Multiply(out FieldElement y, in point.Y, in zInverse);
            FieldElement.Add(out table[i].YPlusX, in y, in x);
            FieldElement.Subtract(out table[i].YMinusX, in y, in x);
            FieldElement.Multiply(out FieldElement t, in x, in y);
            FieldElement.Multiply(out table[i].DoubleDTimesT, in t, in EdwardsConstants.DoubleD);
        }

        return table;
    }
}
