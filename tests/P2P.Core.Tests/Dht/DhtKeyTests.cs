using System.Numerics;
using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Goal: points, distances and prefixes are those of the specification. Method: its example values, and big numbers as the reference.</summary>
[TestClass]
public sealed class DhtKeyTests
{
    [TestMethod]
    public void The_key_of_a_peer_is_the_hash_of_its_multihash()
    {
        PeerId peer = PeerId.Parse("12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS");
        Assert.AreEqual("e43d28f0996557c0d5571d75c62a57a59d7ac1d30a51ecedcdb9d5e4afa56100", Convert.ToHexStringLower(Bytes(DhtKey.Of(peer))));
    }

    [TestMethod]
    public void Distances_prefixes_and_bits_are_those_of_big_endian_numbers()
    {
        var random = new SeededRandom(7);
        for (int i = 0; i < 2_000; i++)
        {
            DhtKey target = DhtKey.Random(random), left = DhtKey.Random(random), right = i % 3 == 0 ? left.WithTail(random.Next(DhtKey.Bits + 1), DhtKey.Random(random)) : DhtKey.Random(random);
            Assert.AreEqual(Math.Sign((Number(target) ^ Number(left)).CompareTo(Number(target) ^ Number(right))), Math.Sign(target.CompareDistance(left, right)));
            BigInteger distance = Number(left) ^ Number(right);
            int prefix = distance.IsZero ? DhtKey.Bits : DhtKey.Bits - (int)distance.GetBitLength();
            Assert.AreEqual(prefix, left.CommonPrefixLength(right));
            Assert.AreEqual(Math.Sign(Number(left).CompareTo(Number(right))), Math.Sign(left.CompareTo(right)));
            int bit = random.Next(DhtKey.Bits);
            Assert.AreEqual(!((Number(left) >> (DhtKey.Bits - 1 - bit)) & 1).IsZero, left.Bit(bit));
            Assert.AreEqual(bit, left.CommonPrefixLength(left.Flip(bit)));
            Assert.AreEqual(left, DhtKey.FromBytes(Bytes(left)));
            Assert.IsGreaterThanOrEqualTo(bit, left.CommonPrefixLength(left.WithTail(bit, right)));
        }
    }

    private static byte[] Bytes(DhtKey key)
    {
        byte[] bytes = new byte[DhtKey.Bytes];
        key.WriteBytes(bytes);
        return bytes;
    }

    private static BigInteger Number(DhtKey key) => new(Bytes(key), isUnsigned: true, isBigEndian: true);
}
