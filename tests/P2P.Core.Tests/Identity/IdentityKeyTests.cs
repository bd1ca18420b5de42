using P2P.Core.Identity;
using P2P.Core.Tests.Cryptography;

namespace P2P.Core.Tests.Identity;

/// <summary>Goal: our own key signs, and its private forms read strictly. Method: fixed seeds and changed encodings.</summary>
[TestClass]
public sealed class IdentityKeyTests
{
    [TestMethod]
    public void Generated_keys_differ_and_sign()
    {
        using IdentityKey one = IdentityKey.Generate(), other = IdentityKey.Generate();
        byte[] message = CryptographyData.Bytes(1, 100);

        Assert.AreNotEqual(one.PeerId, other.PeerId);
        Assert.IsTrue(one.PublicKey.Verify(message, one.Sign(message)));
        Assert.IsFalse(other.PublicKey.Verify(message, one.Sign(message)));
        Assert.StartsWith("12D3KooW", one.PeerId.ToString());
    }

    /// <summary>08 01: type Ed25519; 12 40 or 12 60: 64 or 96 bytes; seed, public key, in the old form the public key again.</summary>
    [TestMethod]
    public void Both_private_forms_are_read_and_the_short_one_is_written()
    {
        byte[] seed = CryptographyData.Bytes(2, 32);
        using IdentityKey key = IdentityKey.FromSeed(seed);
        byte[] publicKey = key.PublicKey.Data.ToArray();
        byte[] encoded = key.EncodePrivateKey();

        CollectionAssert.AreEqual((byte[])[0x08, 0x01, 0x12, 0x40, .. seed, .. publicKey], encoded);
        Assert.IsTrue(IdentityKey.TryDecodePrivateKey(encoded, out IdentityKey? shortForm, out _));
        Assert.IsTrue(IdentityKey.TryDecodePrivateKey([0x08, 0x01, 0x12, 0x60, .. seed, .. publicKey, .. publicKey], out IdentityKey? longForm, out _));
        Assert.AreEqual(key.PeerId, shortForm.PeerId);
        Assert.AreEqual(key.PeerId, longForm.PeerId);
        shortForm.Dispose();
        longForm.Dispose();
    }

    [TestMethod]
    public void A_private_key_with_a_wrong_public_key_is_refused()
    {
        byte[] seed = CryptographyData.Bytes(3, 32);
        using IdentityKey key = IdentityKey.FromSeed(seed), other = IdentityKey.Generate();
        byte[] right = key.PublicKey.Data.ToArray(), wrong = other.PublicKey.Data.ToArray();

        AssertRefused([0x08, 0x01, 0x12, 0x40, .. seed, .. wrong], "does not belong");
        AssertRefused([0x08, 0x01, 0x12, 0x60, .. seed, .. right, .. wrong], "does not belong");
        AssertRefused([0x08, 0x01, 0x12, 0x60, .. seed, .. wrong, .. right], "does not belong");
        AssertRefused([0x08, 0x01, 0x12, 0x20, .. seed], "64 nor 96");
        AssertRefused([0x08, 0x02, 0x12, 0x20, .. seed], "Secp256k1");
        AssertRefused([.. key.EncodePrivateKey(), 0], "not a libp2p private key");
        AssertRefused([], "not a libp2p private key");
    }

    [TestMethod]
    public void A_disposed_key_no_longer_signs()
    {
        IdentityKey key = IdentityKey.Generate();
        key.Dispose();
        key.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => key.Sign([1]));
        Assert.ThrowsExactly<ObjectDisposedException>(key.EncodePrivateKey);
    }

    [TestMethod]
    public void No_text_of_a_key_shows_its_secret()
    {
        byte[] seed = CryptographyData.Bytes(4, 32);
        using IdentityKey key = IdentityKey.FromSeed(seed);
        Assert.DoesNotContain(Convert.ToHexString(seed)[..8], key.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.AreEqual($"identity of {key.PeerId.ToShortString()}", key.ToString());
    }

    private static void AssertRefused(byte[] encoded, string because)
    {
        Assert.IsFalse(IdentityKey.TryDecodePrivateKey(encoded, out _, out string? error));
        Assert.Contains(because, error);
    }
}
