using System.Numerics;
using P2P.Core.Cryptography;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Goal: scalars and multiples of points are exact. Method: values around every multiple of L and word boundary, against BigInteger.</summary>
[TestClass]
public sealed class EdwardsScalarTests
{
    [TestMethod]
    public void Reduction_is_exact_at_every_boundary()
    {
        foreach (BigInteger value in WideValues())
        {
            byte[] wide = new byte[64], result = new byte[32];
            Assert.IsTrue(value.TryWriteBytes(wide, out _, isUnsigned: true));
            EdwardsScalar.Reduce(wide, result);
            Assert.AreEqual(value % ReferenceEdwards.L, ReferenceEdwards.Read(result), value.ToString("x"));
        }
    }

    [TestMethod]
    public void Multiply_and_add_is_exact()
    {
        BigInteger[] values =
        [
            0, 1, ReferenceEdwards.L - 1, BigInteger.Pow(2, 255) - 1, BigInteger.Pow(2, 254), BigInteger.Pow(2, 64) - 1, BigInteger.Pow(2, 128),
            .. Enumerable.Range(0, 20).Select(i => ReferenceEdwards.Read(CryptographyData.Bytes(i, 32)) >> 1),
        ];
        byte[] result = new byte[32];
        foreach (BigInteger a in values)
        {
            foreach (BigInteger b in values)
            {
                foreach (BigInteger c in values.Take(8))
                {
                    EdwardsScalar.MultiplyAdd(ReferenceEdwards.Write(a), ReferenceEdwards.Write(b), ReferenceEdwards.Write(c), result);
                    Assert.AreEqual(((a * b) + c) % ReferenceEdwards.L, ReferenceEdwards.Read(result));
                }
            }
        }
    }

    [TestMethod]
    public void Canonical_means_below_L()
    {
        foreach (BigInteger value in WideValues().Where(v => v < BigInteger.Pow(2, 256)))
            Assert.AreEqual(value < ReferenceEdwards.L, EdwardsScalar.IsCanonical(ReferenceEdwards.Write(value)), value.ToString("x"));
    }

    [TestMethod]
    public void Multiples_of_the_base_point_are_exact()
    {
        byte[] encoded = new byte[32];
        foreach (byte[] scalar in Scalars(below: 255))
        {
            EdwardsBase.Multiply(out EdwardsPoint point, scalar);
            point.Encode(encoded);
            byte[] expected = ReferenceEdwards.Encode(ReferenceEdwards.Multiply(ReferenceEdwards.Read(scalar), ReferenceEdwards.Base));
            CollectionAssert.AreEqual(expected, encoded, Convert.ToHexString(scalar));
        }
    }

    [TestMethod]
    public void Multiples_of_any_point_are_exact()
    {
        byte[] encoded = new byte[32];
        foreach (string start in (string[])[.. EdwardsEdgeCases.SmallOrder, Convert.ToHexString(ReferenceEdwards.Encode(ReferenceEdwards.Base))])
        {
            Assert.IsTrue(EdwardsPoint.TryDecode(Convert.FromHexString(start), out EdwardsPoint point));
            ReferencePoint reference = ReferenceEdwards.Decode(Convert.FromHexString(start))!.Value;
            foreach (byte[] scalar in Scalars(below: 253).Take(20))
            {
                EdwardsVariableTime.Multiply(out EdwardsPoint product, in point, scalar);
                product.Encode(encoded);
                byte[] expected = ReferenceEdwards.Encode(ReferenceEdwards.Multiply(ReferenceEdwards.Read(scalar), reference));
                CollectionAssert.AreEqual(expected, encoded, start + " x " + Convert.ToHexString(scalar));
            }
        }
    }

    private static IEnumerable<byte[]> Scalars(int below)
    {
        BigInteger limit = BigInteger.Pow(2, below);
        foreach (BigInteger value in (BigInteger[])[0, 1, 2, 7, 8, 9, 15, 16, 17, limit - 1, ReferenceEdwards.L - 1, ReferenceEdwards.L, ReferenceEdwards.L + 1])
            yield return ReferenceEdwards.Write(value);
        for (int i = 0; i < 40; i++)
            yield return ReferenceEdwards.Write(ReferenceEdwards.Read(CryptographyData.ScalarWithEdges(i)) % limit);
    }

    private static IEnumerable<BigInteger> WideValues()
    {
        BigInteger top = BigInteger.Pow(2, 512);
        for (int offset = -2; offset <= 2; offset++)
        {
            foreach (BigInteger factor in (BigInteger[])[1, 2, 3, 15, 16, BigInteger.Pow(2, 130), BigInteger.Pow(2, 255), (top / ReferenceEdwards.L) - 1])
                yield return (factor * ReferenceEdwards.L) + offset;
            for (int bit = 64; bit < 512; bit += 4)
                yield return BigInteger.Pow(2, bit) + offset;
        }

        for (int i = 0; i < 5; i++)
        {
            yield return i;
            yield return top - 1 - i;
        }

        for (int i = 0; i < 100; i++)
            yield return ReferenceEdwards.Read(CryptographyData.Bytes(i, 64));
    }
}
