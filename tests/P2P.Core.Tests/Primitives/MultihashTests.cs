using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using P2P.Core.Primitives;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Primitives;

[TestClass]
public sealed class MultihashTests
{
    [TestMethod]
    [Vectors]
    public void The_published_vectors_parse_and_full_digests_verify()
    {
        int verified = 0, parsed = 0;
        foreach (string line in File.ReadLines(Vectors.Path("multihash", "test_cases.csv")).Skip(1))
        {
            string[] parts = line.Split(',');

            // the hashed input is the text of the number, not the number
            byte[] input = Encoding.ASCII.GetBytes(parts[2]);
            byte[] multihash = Convert.FromHexString(parts[3]);
            Assert.IsTrue(Multihash.TryParse(multihash, out ulong code, out ReadOnlySpan<byte> digest, out int consumed), line);
            Assert.AreEqual(multihash.Length, consumed, line);
            Assert.AreEqual(int.Parse(parts[1], CultureInfo.InvariantCulture), digest.Length * 8, line);
            CollectionAssert.AreEqual(multihash, Multihash.Create(code, digest), line);
            parsed++;

            bool isFull = (parts[0], parts[1]) is ("sha2-256", "256") or ("sha2-512", "512");
            Assert.AreEqual(isFull, Multihash.Verify(code, digest, input), line);
            verified += isFull ? 1 : 0;
        }

        Assert.IsGreaterThan(100, parsed);
        Assert.AreEqual(40, verified);
    }

    [TestMethod]
    [Vectors]
    public void The_codes_are_those_of_the_registry()
    {
        Dictionary<string, ulong> registry = File.ReadLines(Vectors.Path("multicodec", "table.csv")).Skip(1)
            .Select(line => line.Split(',')).ToDictionary(parts => parts[0].Trim(), parts => Convert.ToUInt64(parts[2].Trim(), 16), StringComparer.Ordinal);
        foreach (ulong code in (ulong[])[Multihash.Identity, Multihash.Sha1, Multihash.Sha2_256, Multihash.Sha2_512, Multihash.Blake3, Multihash.Murmur3X64_64])
        {
            Assert.AreEqual(registry[Multihash.NameOf(code)], code);
        }

        Assert.AreEqual(Cid.RawCodec, registry["raw"]);
        Assert.AreEqual(Cid.DagPbCodec, registry["dag-pb"]);
        Assert.AreEqual(Cid.Libp2pKeyCodec, registry["libp2p-key"]);
    }

    [TestMethod]
    public void A_multihash_cut_anywhere_asks_for_more()
    {
        byte[] multihash = Multihash.Create(0xb220, SHA256.HashData("x"u8));
        for (int cut = 0; cut < multihash.Length; cut++)
        {
            Assert.AreEqual(OperationStatus.NeedMoreData, Multihash.TryRead(multihash.AsSpan(0, cut), out _, out _, out int consumed), $"cut at {cut}");
            Assert.AreEqual(0, consumed);
        }

        Assert.AreEqual(OperationStatus.Done, Multihash.TryRead([.. multihash, 1, 2, 3], out _, out ReadOnlySpan<byte> digest, out int all));
        Assert.AreEqual((multihash.Length, 32), (all, digest.Length));
    }

    [TestMethod]
    public void A_claimed_length_over_the_limit_is_refused_at_once()
    {
        Assert.AreEqual(OperationStatus.InvalidData, Multihash.TryRead([0x00, 0x81, 0x01], out _, out _, out _));
        Assert.AreEqual(OperationStatus.NeedMoreData, Multihash.TryRead([0x00, 0x80, 0x01], out _, out _, out _));
    }

    [TestMethod]
    public void A_truncated_digest_never_verifies()
    {
        byte[] digest = SHA256.HashData("x"u8);
        Assert.IsTrue(Multihash.Verify(Multihash.Sha2_256, digest, "x"u8));
        for (int length = 0; length < digest.Length; length++)
        {
            Assert.IsFalse(Multihash.Verify(Multihash.Sha2_256, digest.AsSpan(0, length), "x"u8));
        }
    }
}
