using P2P.Core.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Goal: agree with RFC 7748 in every byte. Method: its vectors, its iteration, Wycheproof, and peers' points of small order.</summary>
[TestClass]
public sealed class X25519Tests
{
    /// <summary>RFC 7748, section 5.2: scalar, u, result.</summary>
    [TestMethod]
    [DataRow(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [DataRow(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    public void The_shared_secret_is_that_of_the_RFC(string scalar, string u, string expected) =>
        Assert.AreEqual(expected, Agree(Convert.FromHexString(scalar), Convert.FromHexString(u)));

    /// <summary>RFC 7748, section 6.1.</summary>
    [TestMethod]
    public void Two_parties_agree_as_in_the_RFC()
    {
        byte[] alice = Convert.FromHexString("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        byte[] bob = Convert.FromHexString("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        byte[] alicePublic = DerivePublicKey(alice), bobPublic = DerivePublicKey(bob);

        Assert.AreEqual("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", Convert.ToHexStringLower(alicePublic));
        Assert.AreEqual("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", Convert.ToHexStringLower(bobPublic));
        Assert.AreEqual("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", Agree(alice, bobPublic));
        Assert.AreEqual("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", Agree(bob, alicePublic));
    }

    /// <summary>RFC 7748, section 5.2: k and u start as 9; each round k becomes X25519(k, u), and u the old k.</summary>
    [TestMethod]
    [DataRow(1, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")]
    [DataRow(1_000, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")]
    public void The_iteration_gives_the_values_of_the_RFC(int rounds, string expected) => Assert.AreEqual(expected, Iterate(rounds));

    [TestMethod]
    [SlowTest]
    public void A_million_rounds_give_the_value_of_the_RFC() =>
        Assert.AreEqual("7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424", Iterate(1_000_000));

    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees()
    {
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("x25519_test.json"))
        {
            byte[] shared = new byte[X25519.KeyBytes];
            bool agreed = X25519.TryAgree(test.Bytes("private"), test.Bytes("public"), shared);

            Assert.AreEqual(test.Text("shared"), Convert.ToHexStringLower(shared), test.Name);
            Assert.AreEqual(!test.HasFlag("ZeroSharedSecret"), agreed, test.Name);
            checkedCases++;
        }

        Assert.AreEqual(518, checkedCases);
    }

    /// <summary>The u coordinates of order 1, 2, 4 and 8, canonical and not, with and without the ignored top bit.</summary>
    [TestMethod]
    [DataRow("0000000000000000000000000000000000000000000000000000000000000000")]
    [DataRow("0100000000000000000000000000000000000000000000000000000000000000")]
    [DataRow("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [DataRow("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [DataRow("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [DataRow("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [DataRow("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void A_point_of_small_order_is_refused(string u)
    {
        byte[] peer = Convert.FromHexString(u);
        byte[] shared = new byte[X25519.KeyBytes];
        byte[] key = CryptographyData.Bytes(1, X25519.KeyBytes);

        Assert.IsFalse(X25519.TryAgree(key, peer, shared));
        Assert.IsFalse(shared.AsSpan().ContainsAnyExcept((byte)0));
        peer[31] |= 0x80;
        Assert.IsFalse(X25519.TryAgree(key, peer, shared));
    }

    /// <summary>The table of the Edwards base point and the ladder from u = 9 are two ways to the same key.</summary>
    [TestMethod]
    public void The_public_key_is_the_ladder_from_nine()
    {
        byte[] nine = new byte[X25519.KeyBytes];
        nine[0] = 9;
        for (int i = 0; i < 200; i++)
        {
            byte[] key = CryptographyData.ScalarWithEdges(i);
            Assert.AreEqual(Agree(key, nine), Convert.ToHexStringLower(DerivePublicKey(key)), $"case {i}");
        }
    }

    [TestMethod]
    public void The_bits_that_clamping_fixes_do_not_matter()
    {
        byte[] key = CryptographyData.Bytes(2, X25519.KeyBytes), other = [.. key];
        other[0] ^= 0x07;
        other[31] ^= 0xc0;
        CollectionAssert.AreEqual(DerivePublicKey(key), DerivePublicKey(other));
    }

    [TestMethod]
    public void The_result_may_overwrite_an_input()
    {
        byte[] key = CryptographyData.Bytes(3, X25519.KeyBytes), peer = DerivePublicKey(CryptographyData.Bytes(4, X25519.KeyBytes));
        string expected = Agree(key, peer);
        Assert.IsTrue(X25519.TryAgree(key, peer, peer));
        Assert.AreEqual(expected, Convert.ToHexStringLower(peer));
    }

    [TestMethod]
    public void Wrong_lengths_are_a_callers_mistake()
    {
        Assert.ThrowsExactly<ArgumentException>(() => X25519.DerivePublicKey(new byte[31], new byte[32]));
        Assert.ThrowsExactly<ArgumentException>(() => X25519.DerivePublicKey(new byte[32], new byte[33]));
        Assert.ThrowsExactly<ArgumentException>(() => X25519.TryAgree(new byte[32], new byte[31], new byte[32]));
        Assert.ThrowsExactly<ArgumentException>(() => X25519.TryAgree(new byte[32], new byte[32], new byte[31]));
    }

    private static string Iterate(int rounds)
    {
        byte[] k = new byte[X25519.KeyBytes], u = new byte[X25519.KeyBytes], next = new byte[X25519.KeyBytes];
        k[0] = u[0] = 9;
        for (int i = 0; i < rounds; i++)
        {
            Assert.IsTrue(X25519.TryAgree(k, u, next));
            (k, u, next) = (next, k, u);
        }

        return Convert.ToHexStringLower(k);
    }

    private static byte[] DerivePublicKey(byte[] key)
    {
        byte[] publicKey = new byte[X25519.KeyBytes];
        X25519.DerivePublicKey(key, publicKey);
        return publicKey;
    }

    private static string Agree(byte[] key, byte[] peer)
    {
        byte[] shared = new byte[X25519.KeyBytes];
        Assert.IsTrue(X25519.TryAgree(key, peer, shared));
        return Convert.ToHexStringLower(shared);
    }
}
