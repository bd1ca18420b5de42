using System.Numerics;
using P2P.Core.Cryptography;

namespace P2P.Core.Tests.Cryptography;

/// <summary>
/// Goal: the verdict on every strange signature is Go's. Method: the twelve cases of ed25519-speccheck, and systematic ones judged by a reference
/// that computes the rules from their definition.
/// </summary>
[TestClass]
public sealed class Ed25519EdgeTests
{
    /// <summary>The cases of ed25519-speccheck in its order, with the verdicts published there for Go: message, public key, signature.</summary>
    [TestMethod]
    [DataRow(
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
        true, DisplayName = "0: S = 0, A and R of small order")]
    [DataRow(
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        true, DisplayName = "1: A of small order, R mixed")]
    [DataRow(
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        true, DisplayName = "2: A mixed, R of small order")]
    [DataRow(
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        true, DisplayName = "3: A and R mixed")]
    [DataRow(
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        false, DisplayName = "4: valid only with the cofactor")]
    [DataRow(
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        false, DisplayName = "5: valid only with the cofactor, k not reduced first")]
    [DataRow(
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        false, DisplayName = "6: S above L")]
    [DataRow(
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        false, DisplayName = "7: S far above L")]
    [DataRow(
        "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
        false, DisplayName = "8: R not canonical, reduced for k")]
    [DataRow(
        "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
        false, DisplayName = "9: R not canonical")]
    [DataRow(
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        false, DisplayName = "10: A not canonical, reduced for k")]
    [DataRow(
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        true, DisplayName = "11: A not canonical")]
    public void Speccheck_gives_the_verdict_of_Go(string message, string publicKey, string signature, bool expected)
    {
        byte[] key = Convert.FromHexString(publicKey), text = Convert.FromHexString(message), signed = Convert.FromHexString(signature);
        Assert.AreEqual(expected, Ed25519.Verify(key, text, signed));
        Assert.AreEqual(expected, ReferenceEdwards.Verify(key, text, signed));
    }

    [TestMethod]
    public void The_list_of_small_order_is_complete()
    {
        ReferencePoint generator = ReferenceEdwards.Decode(Convert.FromHexString(EdwardsEdgeCases.SmallOrder[4]))!.Value;
        HashSet<string> canonical = [];
        for (int i = 0; i < 8; i++)
            canonical.Add(Convert.ToHexStringLower(ReferenceEdwards.Encode(ReferenceEdwards.Multiply(i, generator))));
        Assert.IsTrue(canonical.SetEquals(EdwardsEdgeCases.SmallOrder[..EdwardsEdgeCases.CanonicalSmallOrder]));

        // Every other encoding of those points: y + p where it fits 255 bits, and the sign set on x = 0.
        HashSet<string> all = [];
        foreach (string encoded in canonical)
        {
            ReferencePoint point = ReferenceEdwards.Decode(Convert.FromHexString(encoded))!.Value;
            for (BigInteger y = point.Y; y < BigInteger.Pow(2, 255); y += ReferenceEdwards.P)
            {
                for (int sign = 0; sign < 2; sign++)
                {
                    byte[] bytes = ReferenceEdwards.Write(y);
                    bytes[31] |= (byte)(sign << 7);
                    if (point.X.IsZero || point.X.IsEven == (sign == 0))
                        all.Add(Convert.ToHexStringLower(bytes));
                }
            }
        }

        Assert.IsTrue(all.SetEquals(EdwardsEdgeCases.SmallOrder));
    }

    [TestMethod]
    public void No_key_of_small_order_is_an_identity()
    {
        foreach (string encoded in EdwardsEdgeCases.SmallOrder)
            Assert.IsFalse(Ed25519.IsAcceptableIdentityKey(Convert.FromHexString(encoded)), encoded);
    }

    /// <summary>y from 2 to 18: where it is on the curve, it is an identity, and the same point written as y + p is not, though it verifies as a key.</summary>
    [TestMethod]
    public void Only_the_canonical_form_of_a_key_is_an_identity()
    {
        int points = 0;
        for (int y = 2; y < 19; y++)
        {
            for (int sign = 0; sign < 2; sign++)
            {
                byte[] canonical = ReferenceEdwards.Write(y), twisted = ReferenceEdwards.Write(y + ReferenceEdwards.P);
                canonical[31] |= (byte)(sign << 7);
                twisted[31] |= (byte)(sign << 7);
                bool onCurve = ReferenceEdwards.Decode(canonical) is not null;
                points += onCurve ? 1 : 0;
                Assert.AreEqual(onCurve, Ed25519.IsAcceptableIdentityKey(canonical), $"y = {y}");
                Assert.IsFalse(Ed25519.IsAcceptableIdentityKey(twisted), $"y = {y} + p");
                Assert.AreEqual(onCurve, EdwardsPoint.TryDecode(twisted, out _), $"y = {y} + p");
            }
        }

        Assert.IsGreaterThan(5, points);
    }

    [TestMethod]
    public void S_must_be_below_L()
    {
        byte[] seed = CryptographyData.Bytes(1, 32), message = [1, 2, 3], key = new byte[32], signature = new byte[64];
        Ed25519.DerivePublicKey(seed, key);
        Ed25519.Sign(seed, message, signature);
        BigInteger s = ReferenceEdwards.Read(signature.AsSpan(32));
        for (int i = 1; i < 16; i++)
        {
            ReferenceEdwards.Write(s + (i * ReferenceEdwards.L)).CopyTo(signature.AsSpan(32));
            Assert.IsFalse(Ed25519.Verify(key, message, signature), $"S + {i} L");
        }

        ReferenceEdwards.Write(s).CopyTo(signature.AsSpan(32));
        Assert.IsTrue(Ed25519.Verify(key, message, signature));
    }

    /// <summary>Every small-order A, canonical or not, with every small-order R, at S = 0: valid where R = -[k]A in its canonical encoding.</summary>
    [TestMethod]
    public void Small_order_pairs_get_the_verdict_of_the_reference()
    {
        int valid = 0;
        foreach (string a in EdwardsEdgeCases.SmallOrder)
        {
            foreach (string r in EdwardsEdgeCases.SmallOrder)
            {
                byte[] key = Convert.FromHexString(a), signature = [.. Convert.FromHexString(r), .. new byte[32]];
                for (byte i = 0; i < 2; i++)
                    valid += AssertVerdict(key, [i], signature) ? 1 : 0;
            }
        }

        Assert.IsGreaterThan(10, valid);
    }

    /// <summary>A and R with a small-order part: [S]B = R + [k]A holds in the large subgroup, and the verdict turns on the small parts alone.</summary>
    [TestMethod]
    public void Mixed_points_get_the_verdict_of_the_reference()
    {
        int valid = 0, invalid = 0;
        for (int i = 0; i < 64; i++)
        {
            BigInteger a = ReferenceEdwards.Read(CryptographyData.Bytes(i, 32)) % ReferenceEdwards.L;
            BigInteger nonce = ReferenceEdwards.Read(CryptographyData.Bytes(i + 1000, 32)) % ReferenceEdwards.L;
            byte[] key = ReferenceEdwards.Encode(ReferenceEdwards.Add(ReferenceEdwards.Multiply(a, ReferenceEdwards.Base), SmallPoint(i % 8)));
            byte[] r = ReferenceEdwards.Encode(ReferenceEdwards.Add(ReferenceEdwards.Multiply(nonce, ReferenceEdwards.Base), SmallPoint(i / 8)));
            for (byte message = 0; message < 4; message++)
            {
                BigInteger s = (nonce + (ReferenceEdwards.Challenge(r, key, [message]) * a)) % ReferenceEdwards.L;
                if (AssertVerdict(key, [message], [.. r, .. ReferenceEdwards.Write(s)]))
                    valid++;
                else
                    invalid++;
            }

            Assert.IsTrue(Ed25519.IsAcceptableIdentityKey(key));
        }

        Assert.IsGreaterThan(10, valid);
        Assert.IsGreaterThan(100, invalid);
    }

    private static ReferencePoint SmallPoint(int index) => ReferenceEdwards.Decode(Convert.FromHexString(EdwardsEdgeCases.SmallOrder[index]))!.Value;

    private static bool AssertVerdict(byte[] key, byte[] message, byte[] signature)
    {
        bool expected = ReferenceEdwards.Verify(key, message, signature);
        Assert.AreEqual(expected, Ed25519.Verify(key, message, signature), $"A {Convert.ToHexStringLower(key)} signature {Convert.ToHexStringLower(signature)}");
        return expected;
    }
}
