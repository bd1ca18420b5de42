using System.Numerics;
using P2P.Core.Cryptography;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Goal: no carry is lost. Method: limbs at every boundary, also at the loosest bounds allowed, against BigInteger.</summary>
[TestClass]
public sealed class FieldElementTests
{
    private const ulong TightLimit = (1UL << 51) + (1UL << 13);
    private const ulong LooseLimit = 1UL << 54;
    private const ulong SubtractLimit = (1UL << 53) - 76;

    [TestMethod]
    public void Products_and_squares_are_exact_up_to_the_loosest_limbs()
    {
        List<FieldElement> operands = [.. Operands(LooseLimit)];
        foreach (FieldElement a in operands)
        {
            FieldElement.Square(out FieldElement square, in a);
            AssertTight(Value(a) * Value(a), square);
            FieldElement.MultiplySmall(out FieldElement small, in a, 121665);
            AssertTight(Value(a) * 121665, small);
            FieldElement.MultiplySmall(out small, in a, uint.MaxValue);
            AssertTight(Value(a) * uint.MaxValue, small);
            foreach (FieldElement b in operands)
            {
                FieldElement.Multiply(out FieldElement product, in a, in b);
                AssertTight(Value(a) * Value(b), product);
            }
        }
    }

    [TestMethod]
    public void Sums_and_differences_are_exact_up_to_their_bounds()
    {
        List<FieldElement> operands = [.. Operands(SubtractLimit)];
        foreach (FieldElement a in operands)
        {
            FieldElement.Negate(out FieldElement minus, in a);
            AssertTight(-Value(a), minus);
            foreach (FieldElement b in operands)
            {
                FieldElement.Add(out FieldElement sum, in a, in b);
                Assert.AreEqual(ReferenceEdwards.Mod(Value(a) + Value(b)), ReferenceEdwards.Mod(Value(sum)));
                FieldElement.Subtract(out FieldElement difference, in a, in b);
                AssertTight(Value(a) - Value(b), difference);
                Assert.AreEqual(ReferenceEdwards.Mod(Value(a)) == ReferenceEdwards.Mod(Value(b)), FieldElement.AreEqual(in a, in b));
            }
        }
    }

    [TestMethod]
    public void The_canonical_form_is_below_p_whatever_the_limbs()
    {
        foreach (FieldElement a in Operands(LooseLimit))
        {
            BigInteger expected = ReferenceEdwards.Mod(Value(a));
            byte[] bytes = new byte[FieldElement.Bytes];
            a.WriteBytes(bytes);
            Assert.AreEqual(expected, ReferenceEdwards.Read(bytes));
            Assert.AreEqual(expected.IsZero, a.IsZero());
            Assert.AreEqual(expected.IsEven ? 0UL : 1UL, a.IsNegative());
        }
    }

    [TestMethod]
    public void Reading_takes_every_value_of_255_bits_and_ignores_the_last()
    {
        foreach (BigInteger value in Values())
        {
            byte[] bytes = ReferenceEdwards.Write(value);
            Assert.AreEqual(value, Value(FieldElement.FromBytes(bytes)));
            bytes[31] |= 0x80;
            Assert.AreEqual(value, Value(FieldElement.FromBytes(bytes)));
        }
    }

    [TestMethod]
    public void Inverses_and_roots_are_the_powers_they_claim()
    {
        foreach (BigInteger value in Values())
        {
            FieldElement a = FieldElement.FromBytes(ReferenceEdwards.Write(value));
            FieldElement.Invert(out FieldElement inverse, in a);
            AssertTight(ReferenceEdwards.Inverse(value), inverse);
            FieldElement.PowerForRoot(out FieldElement power, in a);
            AssertTight(BigInteger.ModPow(value, (ReferenceEdwards.P - 5) / 8, ReferenceEdwards.P), power);
            FieldElement.Invert(out a, in a);
            AssertTight(ReferenceEdwards.Inverse(value), a);
        }
    }

    [TestMethod]
    public void Exchange_and_assign_do_all_or_nothing()
    {
        FieldElement one = FieldElement.FromBytes(CryptographyData.Bytes(1, 32)), other = FieldElement.FromBytes(CryptographyData.Bytes(2, 32));
        FieldElement a = one, b = other;
        FieldElement.Exchange(ref a, ref b, 0);
        Assert.AreEqual((Value(one), Value(other)), (Value(a), Value(b)));
        FieldElement.Exchange(ref a, ref b, 1);
        Assert.AreEqual((Value(other), Value(one)), (Value(a), Value(b)));
        a.Assign(in b, 0);
        Assert.AreEqual(Value(other), Value(a));
        a.Assign(in b, ulong.MaxValue);
        Assert.AreEqual(Value(one), Value(a));
        FieldElement.Clear(ref a);
        Assert.AreEqual(BigInteger.Zero, Value(a));
    }

    [TestMethod]
    public void The_constants_are_what_their_definitions_say()
    {
        Assert.AreEqual(ReferenceEdwards.D, Value(EdwardsConstants.D));
        Assert.AreEqual(ReferenceEdwards.Mod(2 * ReferenceEdwards.D), Value(EdwardsConstants.DoubleD));
        Assert.AreEqual(ReferenceEdwards.RootOfMinusOne, Value(EdwardsConstants.RootOfMinusOne));
        Assert.AreEqual(ReferenceEdwards.P - 1, ReferenceEdwards.Mod(ReferenceEdwards.RootOfMinusOne * ReferenceEdwards.RootOfMinusOne));
        Assert.AreEqual(ReferenceEdwards.Base, new ReferencePoint(Value(EdwardsConstants.Base.X), Value(EdwardsConstants.Base.Y)));
        Assert.AreEqual(ReferenceEdwards.Mod(ReferenceEdwards.Base.X * ReferenceEdwards.Base.Y), Value(EdwardsConstants.Base.T));
        Assert.AreEqual(BigInteger.One, Value(EdwardsConstants.Base.Z));
    }

    internal static BigInteger Value(FieldElement a) =>
        a.L0 + ((BigInteger)a.L1 << 51) + ((BigInteger)a.L2 << 102) + ((BigInteger)a.L3 << 153) + ((BigInteger)a.L4 << 204);

    private static IEnumerable<FieldElement> Operands(ulong limit)
    {
        ulong[] limbs = [0, 1, 18, 19, (1UL << 51) - 20, (1UL << 51) - 19, (1UL << 51) - 1, 1UL << 51, TightLimit - 1, 1UL << 52, limit - 1];
        foreach (ulong limb in limbs.Where(l => l < limit))
        {
            yield return new FieldElement(limb, limb, limb, limb, limb);
            yield return new FieldElement(limb, 0, 0, 0, 0);
            yield return new FieldElement(0, 0, 0, 0, limb);
            yield return new FieldElement(limit - 1, limb, limit - 1, limb, limit - 1);
            yield return new FieldElement(limb, (1UL << 51) - 1, (1UL << 51) - 1, (1UL << 51) - 1, (1UL << 51) - 1);
        }

        foreach (BigInteger value in Values())
            yield return FieldElement.FromBytes(ReferenceEdwards.Write(value));
    }

    private static IEnumerable<BigInteger> Values()
    {
        BigInteger top = BigInteger.Pow(2, 255);
        for (int i = 0; i <= 40; i++)
        {
            yield return i;
            yield return top - 1 - i;
        }

        for (int bit = 50; bit < 255; bit += 51)
        {
            for (int offset = -1; offset <= 1; offset++)
            {
                yield return BigInteger.Pow(2, bit) + offset;
                yield return BigInteger.Pow(2, bit + 1 < 255 ? bit + 1 : 254) + offset;
            }
        }

        for (int i = 0; i < 10; i++)
            yield return ReferenceEdwards.Read(CryptographyData.Bytes(i, 32)) & (top - 1);
    }

    private static void AssertTight(BigInteger expected, FieldElement actual)
    {
        Assert.AreEqual(ReferenceEdwards.Mod(expected), ReferenceEdwards.Mod(Value(actual)));
        Assert.IsTrue(actual is { L0: < TightLimit, L1: < TightLimit, L2: < TightLimit, L3: < TightLimit, L4: < TightLimit }, "a limb is not tight");
    }
}
