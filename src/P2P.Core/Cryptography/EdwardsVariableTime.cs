namespace P2P.Core.Cryptography;

/// <summary>Scalar multiplication for public scalars and points only: its time and memory access depend on both.</summary>
internal static class EdwardsVariableTime
{
    private const int Window = 5;
    private const int OddMultiples = 1 << (Window - 2);
    private const int Digits = 256;

    /// <summary>Computes scalar x point with a sliding window over a non-adjacent form, for a little-endian scalar below 2^253.</summary>
    internal static void Multiply(out EdwardsPoint result, in EdwardsPoint point, ReadOnlySpan<byte> scalar)
    {
        Span<sbyte> digits = stackalloc sbyte[Digits];
        Recode(scalar, digits);

        Span<CachedPoint> positive = stackalloc CachedPoint[OddMultiples];
        Span<CachedPoint> negative = stackalloc CachedPoint[OddMultiples];
        EdwardsPoint.Double(out EdwardsPoint twice, in point);
        CachedPoint step = new(in twice);
        EdwardsPoint multiple = point;
        for (int i = 0; i < OddMultiples; i++)
        {
            positive[i] = new CachedPoint(in multiple);
            negative[i] = positive[i];
            negative[i].Affine.NegateIf(1);
            EdwardsPoint.Add(out multiple, in multiple, in step);
        }

        result = EdwardsPoint.Identity;
        int highest = digits.LastIndexOfAnyExcept((sbyte)0);
        for (int i = highest; i >= 0; i--)
        {
            EdwardsPoint.Double(out result, in result);
            int digit = digits[i];
            if (digit > 0)
                EdwardsPoint.Add(out result, in result, in positive[digit >> 1]);
            else if (digit < 0)
                EdwardsPoint.Add(out result, in result, in negative[-digit >> 1]);
        }
    }

    /// <summary>Width-5 non-adjacent form: digits are 0 or odd from -15 to 15, and of any five neighbours at most one is not 0.</summary>
    private static void Recode(ReadOnlySpan<byte> scalar, Span<sbyte> digits)
    {
        digits.Clear();
        int carry = 0;
        for (int position = 0; position < Digits;)
        {
            if (Bit(scalar, position) == carry)
            {
                position++;
                continue;
            }

            int window = carry;
            for (int i = 0; i < Window; i++)
                window += Bit(scalar, position + i) << i;
            carry = window >> (Window - 1);
            digits[position] = (sbyte)(window - (carry << Window));
            position += Window;
        }
    }

    private static int Bit(ReadOnlySpan<byte> scalar, int position) => position < Digits ? (scalar[position >> 3] >> (position & 7)) & 1 : 0;
}
