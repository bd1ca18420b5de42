using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Blocks;

[TestClass]
public sealed class BlockVerificationTests
{
    private static readonly byte[] Data = [1, 2, 3];

    [TestMethod]
    public void Full_digests_are_accepted_and_checked()
    {
        foreach (Cid cid in (Cid[])
            [Cid.OfRaw(Data), CidOf(Multihash.Sha2_512, SHA512.HashData(Data)), CidOf(Multihash.Identity, Data), Cid.Parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")])
        {
            Assert.IsTrue(BlockVerification.IsAccepted(cid, out string? why), why);
            Assert.AreEqual(cid.Version == 1, BlockVerification.Verify(cid, Data));
            Assert.IsFalse(BlockVerification.Verify(cid, [1, 2, 4]));
            Assert.IsFalse(BlockVerification.Verify(cid, [1, 2]));
        }
    }

    [TestMethod]
    public void Weak_truncated_and_unknown_hashes_are_refused_by_name()
    {
        AssertRefused(CidOf(Multihash.Sha1, new byte[20]), "sha1");
        AssertRefused(CidOf(Multihash.Murmur3X64_64, new byte[8]), "murmur3");
        AssertRefused(CidOf(Multihash.Sha2_256, SHA256.HashData(Data).AsSpan(0, 20)), "truncated");
        AssertRefused(CidOf(Multihash.Sha2_512, SHA512.HashData(Data).AsSpan(0, 32)), "truncated");
        AssertRefused(CidOf(0xb220, new byte[32]), "0xb220");
        AssertRefused(default, "no content id");
    }

    [TestMethod]
    public void A_block_over_the_limit_never_verifies()
    {
        byte[] large = new byte[BlockVerification.MaxBlockBytes + 1];
        Assert.IsFalse(BlockVerification.Verify(Cid.OfRaw(large), large));
        Assert.IsTrue(BlockVerification.Verify(Cid.OfRaw(large.AsSpan(1)), large.AsSpan(1)));
    }

    private static void AssertRefused(Cid cid, string reason)
    {
        Assert.IsFalse(BlockVerification.IsAccepted(cid, out string? why));
        Assert.Contains(reason, why!);
        Assert.IsFalse(BlockVerification.Verify(cid, Data));
    }

    private static Cid CidOf(ulong code, ReadOnlySpan<byte> digest)
    {
        Assert.IsTrue(Cid.TryCreate(1, Cid.RawCodec, Multihash.Create(code, digest), out Cid cid));
        return cid;
    }
}
