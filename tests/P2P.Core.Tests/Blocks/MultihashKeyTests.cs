using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Blocks;

[TestClass]
public sealed class MultihashKeyTests
{
    [TestMethod]
    public void A_key_gives_its_multihash_back()
    {
        foreach (byte[] multihash in (byte[][])
            [Multihash.Create(Multihash.Sha2_256, SHA256.HashData("a"u8)), Multihash.Create(Multihash.Sha2_512, SHA512.HashData("a"u8)), Multihash.Create(Multihash.Identity, "a"u8)])
        {
            var key = new MultihashKey(multihash);
            CollectionAssert.AreEqual(multihash, key.ToArray());
            Assert.AreEqual(multihash.Length, key.ByteLength);
            Assert.AreEqual(new MultihashKey([.. multihash]), key);
            Assert.AreEqual(new MultihashKey([.. multihash]).GetHashCode(), key.GetHashCode());
        }
    }

    [TestMethod]
    public void Keys_of_different_hashes_differ_even_when_their_digests_agree()
    {
        byte[] digest = SHA256.HashData("a"u8);
        MultihashKey sha = new(Multihash.Create(Multihash.Sha2_256, digest));
        MultihashKey identity = new(Multihash.Create(Multihash.Identity, digest));
        Assert.AreNotEqual(sha, identity);
        for (int bit = 0; bit < 256; bit++)
        {
            byte[] other = [.. digest];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.AreNotEqual(sha, MultihashKey.OfSha256(other), $"bit {bit}");
        }
    }
}
