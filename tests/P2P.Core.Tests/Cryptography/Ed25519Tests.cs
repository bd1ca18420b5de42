using P2P.Core.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Goal: sign as RFC 8032, verify as Go does. Method: the RFC's vectors, Wycheproof, and changed signatures.</summary>
[TestClass]
public sealed class Ed25519Tests
{
    /// <summary>RFC 8032, section 7.1, tests 1, 2, 3 and SHA(abc): seed, public key, message, signature.</summary>
    [TestMethod]
    [DataRow(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [DataRow(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [DataRow(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    [DataRow(
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")]
    public void Keys_and_signatures_are_those_of_the_RFC(string seed, string publicKey, string message, string signature)
    {
        byte[] seedBytes = Convert.FromHexString(seed), messageBytes = Convert.FromHexString(message);
        byte[] derived = new byte[Ed25519.PublicKeyBytes], signed = new byte[Ed25519.SignatureBytes];
        Ed25519.DerivePublicKey(seedBytes, derived);
        Ed25519.Sign(seedBytes, messageBytes, signed);

        Assert.AreEqual(publicKey, Convert.ToHexStringLower(derived));
        Assert.AreEqual(signature, Convert.ToHexStringLower(signed));
        Assert.IsTrue(Ed25519.Verify(derived, messageBytes, signed));
        Assert.IsTrue(Ed25519.IsAcceptableIdentityKey(derived));
    }

    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees()
    {
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("ed25519_test.json"))
        {
            byte[] key = Convert.FromHexString(test.Group.GetProperty("publicKey").GetProperty("pk").GetString()!);
            Assert.AreEqual(test.Result == "valid", Ed25519.Verify(key, test.Bytes("msg"), test.Bytes("sig")), test.Name);
            checkedCases++;
        }

        Assert.AreEqual(151, checkedCases);
    }

    [TestMethod]
    public void Any_changed_bit_is_noticed()
    {
        byte[] seed = CryptographyData.Bytes(1, Ed25519.SeedBytes), message = CryptographyData.Bytes(2, 40);
        byte[] key = new byte[Ed25519.PublicKeyBytes], signature = new byte[Ed25519.SignatureBytes];
        Ed25519.DerivePublicKey(seed, key);
        Ed25519.Sign(seed, message, signature);

        AssertEveryFlipFails(signature, () => Ed25519.Verify(key, message, signature));
        AssertEveryFlipFails(message, () => Ed25519.Verify(key, message, signature));
        AssertEveryFlipFails(key, () => Ed25519.Verify(key, message, signature));
    }

    [TestMethod]
    public void Signatures_of_all_message_lengths_verify()
    {
        byte[] key = new byte[Ed25519.PublicKeyBytes], signature = new byte[Ed25519.SignatureBytes];
        for (int i = 0; i < 200; i++)
        {
            byte[] seed = CryptographyData.ScalarWithEdges(i), message = CryptographyData.Bytes(i, i * 3);
            Ed25519.DerivePublicKey(seed, key);
            Ed25519.Sign(seed, message, signature);
            Assert.IsTrue(Ed25519.Verify(key, message, signature), $"case {i}");
            Assert.IsTrue(Ed25519.IsAcceptableIdentityKey(key), $"case {i}");
        }
    }

    [TestMethod]
    public void The_signature_may_overwrite_the_message()
    {
        byte[] seed = CryptographyData.Bytes(5, Ed25519.SeedBytes), buffer = CryptographyData.Bytes(6, Ed25519.SignatureBytes);
        byte[] expected = new byte[Ed25519.SignatureBytes];
        Ed25519.Sign(seed, buffer, expected);
        Ed25519.Sign(seed, buffer, buffer);
        CollectionAssert.AreEqual(expected, buffer);
    }

    [TestMethod]
    public void Wrong_lengths_from_a_peer_are_invalid_and_from_us_a_mistake()
    {
        Assert.IsFalse(Ed25519.Verify(new byte[31], [], new byte[64]));
        Assert.IsFalse(Ed25519.Verify(new byte[32], [], new byte[63]));
        Assert.IsFalse(Ed25519.Verify(new byte[32], [], new byte[65]));
        Assert.IsFalse(Ed25519.IsAcceptableIdentityKey(new byte[33]));
        Assert.ThrowsExactly<ArgumentException>(() => Ed25519.Sign(new byte[64], [], new byte[64]));
        Assert.ThrowsExactly<ArgumentException>(() => Ed25519.Sign(new byte[32], [], new byte[63]));
        Assert.ThrowsExactly<ArgumentException>(() => Ed25519.DerivePublicKey(new byte[32], new byte[31]));
    }

    private static void AssertEveryFlipFails(byte[] bytes, Func<bool> verify)
    {
        Assert.IsTrue(verify());
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsFalse(verify(), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }
}
