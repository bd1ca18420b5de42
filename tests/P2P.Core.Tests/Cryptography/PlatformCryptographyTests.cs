using System.Security.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Goal: what we take from the base library is what we think it is. Method: Wycheproof through its calls.</summary>
[TestClass]
public sealed class PlatformCryptographyTests
{
    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees_on_ChaCha20Poly1305()
    {
        if (!ChaCha20Poly1305.IsSupported)
            Assert.Inconclusive("This platform has no ChaCha20-Poly1305.");
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("chacha20_poly1305_test.json"))
        {
            checkedCases++;
            byte[] nonce = test.Bytes("iv"), ciphertext = test.Bytes("ct"), tag = test.Bytes("tag"), message = test.Bytes("msg"), data = test.Bytes("aad");
            using ChaCha20Poly1305 cipher = new(test.Bytes("key"));
            byte[] opened = new byte[ciphertext.Length];
            if (nonce.Length != 12)
            {
                Assert.ThrowsExactly<ArgumentException>(() => cipher.Decrypt(nonce, ciphertext, tag, opened, data), test.Name);
            }
            else if (test.Result == "valid")
            {
                cipher.Decrypt(nonce, ciphertext, tag, opened, data);
                CollectionAssert.AreEqual(message, opened, test.Name);
                byte[] sealedBytes = new byte[message.Length], sealedTag = new byte[16];
                cipher.Encrypt(nonce, message, sealedBytes, sealedTag, data);
                CollectionAssert.AreEqual(ciphertext, sealedBytes, test.Name);
                CollectionAssert.AreEqual(tag, sealedTag, test.Name);
            }
            else
            {
                Assert.ThrowsExactly<AuthenticationTagMismatchException>(() => cipher.Decrypt(nonce, ciphertext, tag, opened, data), test.Name);
            }
        }

        Assert.AreEqual(325, checkedCases);
    }

    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees_on_P256_in_fixed_form()
    {
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("ecdsa_secp256r1_sha256_p1363_test.json"))
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Convert.FromHexString(test.Group.GetProperty("publicKeyDer").GetString()!), out _);
            bool verified = key.VerifyData(test.Bytes("msg"), test.Bytes("sig"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            Assert.AreEqual(test.Result == "valid", verified, test.Name);
            checkedCases++;
        }

        Assert.AreEqual(262, checkedCases);
    }
}
