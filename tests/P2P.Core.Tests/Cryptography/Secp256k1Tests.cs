using System.Security.Cryptography;
using P2P.Core.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Goal: the managed way and the platform's agree with Wycheproof. Method: every case through both.</summary>
[TestClass]
public sealed class Secp256k1Tests
{
    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees()
    {
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("ecdsa_secp256k1_sha256_test.json"))
        {
            byte[] key = Compress(Convert.FromHexString(test.Group.GetProperty("publicKey").GetProperty("uncompressed").GetString()!));
            byte[] message = test.Bytes("msg"), signature = test.Bytes("sig");
            bool expected = test.Result == "valid";
            Assert.AreEqual(expected, Secp256k1.VerifyManaged(key, message, signature), "managed, " + test.Name);
            Assert.AreEqual(expected, Secp256k1.VerifyDer(key, message, signature), "platform, " + test.Name);
            checkedCases++;
        }

        Assert.AreEqual(476, checkedCases);
    }

    [TestMethod]
    public void Signatures_of_the_platform_verify_in_both_ways()
    {
        using ECDsa ecdsa = CreateOrSkip();
        ECParameters parameters = ecdsa.ExportParameters(includePrivateParameters: false);
        byte[] key = Compress([4, .. parameters.Q.X!, .. parameters.Q.Y!]);
        for (int i = 0; i < 20; i++)
        {
            byte[] message = CryptographyData.Bytes(i, i * 10);
            byte[] signature = ecdsa.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            Assert.IsTrue(Secp256k1.VerifyManaged(key, message, signature));
            Assert.IsTrue(Secp256k1.VerifyDer(key, message, signature));
            signature[^1] ^= 1;
            Assert.IsFalse(Secp256k1.VerifyManaged(key, message, signature));
            Assert.IsFalse(Secp256k1.VerifyDer(key, message, signature));
        }
    }

    [TestMethod]
    public void A_key_that_is_no_point_verifies_nothing()
    {
        byte[] signature = [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
        foreach (byte[] key in (byte[][])[[], new byte[33], [2, .. new byte[32]], [4, .. new byte[32]], [2, .. Enumerable.Repeat((byte)0xff, 32)]])
        {
            Assert.IsFalse(Secp256k1.IsValidKey(key));
            Assert.IsFalse(Secp256k1.VerifyManaged(key, [1], signature));
            Assert.IsFalse(Secp256k1.VerifyDer(key, [1], signature));
        }
    }

    private static byte[] Compress(byte[] uncompressed) => [(byte)(2 + (uncompressed[^1] & 1)), .. uncompressed[1..33]];

    private static ECDsa CreateOrSkip()
    {
        try
        {
            return ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.10"));
        }
        catch (PlatformNotSupportedException)
        {
            Assert.Inconclusive("This platform has no secp256k1.");
            throw;
        }
    }
}
