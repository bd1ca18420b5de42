using System.Security.Cryptography;
using P2P.Core.Identity;
using P2P.Core.Tests.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Identity;

/// <summary>Goal: keys of all four kinds read in their one valid form and verify. Method: go's key files, Wycheproof, the base library, changed bytes.</summary>
[TestClass]
public sealed class PublicKeyTests
{
    private static readonly byte[] SignedText = "Libp2p is the _best_!"u8.ToArray();

    [TestMethod]
    [Vectors]
    [DataRow("0", KeyType.Rsa)]
    [DataRow("2", KeyType.Secp256k1)]
    [DataRow("3", KeyType.Ecdsa)]
    public void The_keys_of_the_Go_implementation_verify_its_signatures(string file, object type)
    {
        byte[] protobuf = File.ReadAllBytes(Vectors.Path("libp2p-keys", "go-crypto-test_data", file + ".pub"));
        byte[] signature = File.ReadAllBytes(Vectors.Path("libp2p-keys", "go-crypto-test_data", file + ".sig"));

        Assert.IsTrue(PublicKey.TryDecode(protobuf, out PublicKey? key, out string? error), error);
        Assert.AreEqual((KeyType)type, key.Type);
        CollectionAssert.AreEqual(protobuf, key.Encode());
        Assert.IsTrue(key.Verify(SignedText, signature));
        Assert.IsFalse(key.Verify("Libp2p is the _worst_!"u8, signature));
        signature[^1] ^= 1;
        Assert.IsFalse(key.Verify(SignedText, signature));
        Assert.IsFalse(key.Verify(SignedText, []));
    }

    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees_on_RSA()
    {
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("rsa_signature_2048_sha256_test.json"))
        {
            PublicKey key = Decode(KeyType.Rsa, Convert.FromHexString(test.Group.GetProperty("publicKeyDer").GetString()!));
            bool verified = key.Verify(test.Bytes("msg"), test.Bytes("sig"));
            if (test.Result != "acceptable")
                Assert.AreEqual(test.Result == "valid", verified, test.Name);
            checkedCases++;
        }

        Assert.AreEqual(259, checkedCases);
    }

    [TestMethod]
    [Vectors]
    public void Wycheproof_agrees_on_P256()
    {
        int checkedCases = 0;
        foreach (WycheproofCase test in Wycheproof.Read("ecdsa_secp256r1_sha256_test.json"))
        {
            PublicKey key = Decode(KeyType.Ecdsa, Convert.FromHexString(test.Group.GetProperty("publicKeyDer").GetString()!));
            Assert.AreEqual(test.Result == "valid", key.Verify(test.Bytes("msg"), test.Bytes("sig")), test.Name);
            checkedCases++;
        }

        Assert.AreEqual(484, checkedCases);
    }

    [TestMethod]
    public void Every_kind_of_key_made_by_the_base_library_verifies()
    {
        byte[] message = CryptographyData.Bytes(1, 1000);
        using RSA rsa = RSA.Create(2048);
        PublicKey rsaKey = Decode(KeyType.Rsa, rsa.ExportSubjectPublicKeyInfo());
        Assert.IsTrue(rsaKey.Verify(message, rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Assert.IsFalse(rsaKey.Verify(message, rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)));
        Assert.IsFalse(rsaKey.Verify(message, rsa.SignData(message, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1)));

        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        PublicKey ecdsaKey = Decode(KeyType.Ecdsa, ecdsa.ExportSubjectPublicKeyInfo());
        Assert.IsTrue(ecdsaKey.Verify(message, ecdsa.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        Assert.IsFalse(ecdsaKey.Verify(message, ecdsa.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)));
        Assert.AreNotEqual(rsaKey, ecdsaKey);
        Assert.AreEqual(ecdsaKey, Decode(KeyType.Ecdsa, ecdsa.ExportSubjectPublicKeyInfo()));
    }

    [TestMethod]
    public void Only_the_one_valid_form_is_read()
    {
        byte[] point = CreatePoint();
        byte[] valid = [0x08, 0x01, 0x12, 0x20, .. point];
        Assert.IsTrue(PublicKey.TryDecode(valid, out _, out _));

        for (int length = 0; length < valid.Length; length++)
            AssertRefused(valid[..length]);
        AssertRefused([.. valid, 0]);
        AssertRefused([0x12, 0x20, .. point, 0x08, 0x01]);
        AssertRefused([0x12, 0x20, .. point]);
        AssertRefused([0x08, 0x81, 0x00, 0x12, 0x20, .. point]);
        AssertRefused([0x08, 0x01, 0x12, 0xa0, 0x00, .. point]);
        AssertRefused([0x08, 0x01, 0x12, 0xa0, 0x80, 0x00, .. point]);
        AssertRefused([0x08, 0x04, 0x12, 0x20, .. point]);
        AssertRefused([.. valid, 0x18, 0x01]);
        AssertRefused(new byte[100_000]);
        AssertRefused([0x08, 0x01, 0x12, 0xff, 0x7f, .. point]);
    }

    [TestMethod]
    public void A_key_of_small_order_or_twisted_form_names_nobody()
    {
        foreach (string encoded in EdwardsEdgeCases.SmallOrder)
            AssertRefused([0x08, 0x01, 0x12, 0x20, .. Convert.FromHexString(encoded)]);

        // x = 0 is not on secp256k1 (7 has no root), 04 is the uncompressed form, and the field ends below ff...ff.
        AssertRefused([0x08, 0x02, 0x12, 0x21, 0x02, .. new byte[32]]);
        AssertRefused([0x08, 0x02, 0x12, 0x21, 0x04, .. CryptographyData.Bytes(1, 32)]);
        AssertRefused([0x08, 0x02, 0x12, 0x21, 0x02, .. Enumerable.Repeat((byte)0xff, 32)]);
    }

    [TestMethod]
    public void An_ECDSA_key_is_an_uncompressed_point_of_P256()
    {
        using ECDsa p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256), p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        byte[] info = p256.ExportSubjectPublicKeyInfo();
        Assert.IsTrue(PublicKey.TryDecode(Encode(KeyType.Ecdsa, info), out _, out _));
        AssertRefused(Encode(KeyType.Ecdsa, p384.ExportSubjectPublicKeyInfo()));
        AssertRefused(Encode(KeyType.Ecdsa, [.. info, 0]));
        info[^1] ^= 1;
        AssertRefused(Encode(KeyType.Ecdsa, info));
    }

    [TestMethod]
    [DataRow(1024, false)]
    [DataRow(2040, false)]
    [DataRow(2048, true)]
    [DataRow(4096, true)]
    [DataRow(8192, true)]
    [DataRow(8200, false)]
    [DataRow(16384, false)]
    public void An_RSA_key_has_2048_to_8192_bits(int bits, bool accepted)
    {
        byte[] modulus = CryptographyData.Bytes(bits, bits / 8);
        modulus[0] |= 0x80;
        modulus[^1] |= 1;
        Assert.AreEqual(accepted, PublicKey.TryDecode(Encode(KeyType.Rsa, RsaInfo(modulus, [1, 0, 1])), out PublicKey? key, out _));
        Assert.IsFalse(key?.Verify([1], new byte[bits / 8]) ?? false);
    }

    [TestMethod]
    [DataRow("03", true)]
    [DataRow("7fffffff", true)]
    [DataRow("01", false)]
    [DataRow("010000", false)]
    [DataRow("80000001", false)]
    [DataRow("0100000001", false)]
    public void An_RSA_exponent_is_odd_and_small(string exponent, bool accepted)
    {
        byte[] modulus = CryptographyData.Bytes(7, 256);
        modulus[0] |= 0x80;
        modulus[^1] |= 1;
        Assert.AreEqual(accepted, PublicKey.TryDecode(Encode(KeyType.Rsa, RsaInfo(modulus, Convert.FromHexString(exponent))), out _, out _));
    }

    [TestMethod]
    public void An_RSA_key_with_bytes_behind_it_is_refused()
    {
        using RSA rsa = RSA.Create(2048);
        byte[] info = rsa.ExportSubjectPublicKeyInfo();
        AssertRefused(Encode(KeyType.Rsa, [.. info, 0]));
        AssertRefused(Encode(KeyType.Rsa, info[..^1]));
        AssertRefused(Encode(KeyType.Rsa, rsa.ExportRSAPublicKey()));
    }

    private static byte[] CreatePoint()
    {
        using IdentityKey key = IdentityKey.FromSeed(CryptographyData.Bytes(9, 32));
        return key.PublicKey.Data.ToArray();
    }

    private static byte[] RsaInfo(byte[] modulus, byte[] exponent)
    {
        System.Formats.Asn1.AsnWriter key = new(System.Formats.Asn1.AsnEncodingRules.DER);
        using (key.PushSequence())
        {
            key.WriteIntegerUnsigned(modulus);
            key.WriteIntegerUnsigned(exponent);
        }

        System.Formats.Asn1.AsnWriter info = new(System.Formats.Asn1.AsnEncodingRules.DER);
        using (info.PushSequence())
        {
            using (info.PushSequence())
            {
                info.WriteObjectIdentifier("1.2.840.113549.1.1.1");
                info.WriteNull();
            }

            info.WriteBitString(key.Encode());
        }

        return info.Encode();
    }

    private static byte[] Encode(KeyType type, byte[] data) => KeyEncoding.Encode(type, data);

    private static PublicKey Decode(KeyType type, byte[] data)
    {
        Assert.IsTrue(PublicKey.TryDecode(Encode(type, data), out PublicKey? key, out string? error), error);
        return key;
    }

    private static void AssertRefused(byte[] protobuf)
    {
        Assert.IsFalse(PublicKey.TryDecode(protobuf, out PublicKey? key, out string? error));
        Assert.IsNull(key);
        Assert.IsFalse(string.IsNullOrEmpty(error));
    }
}
