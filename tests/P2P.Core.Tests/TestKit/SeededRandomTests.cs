using P2P.Testing;

namespace P2P.Core.Tests.TestKit;

[TestClass]
public sealed class SeededRandomTests
{
    [TestMethod]
    public void The_same_seed_gives_the_same_numbers_for_ever()
    {
        SeededRandom random = new(42);
        byte[] bytes = new byte[11];
        random.NextBytes(bytes);
        string sequence = $"{Convert.ToHexString(bytes)} {random.Next(1000)} {random.NextInt64()} {random.NextDouble():R}";
        SeededRandom again = new(42);
        byte[] same = new byte[11];
        again.NextBytes(same);
        Assert.AreEqual(sequence, $"{Convert.ToHexString(same)} {again.Next(1000)} {again.NextInt64()} {again.NextDouble():R}");
        Assert.AreEqual("16C72E0C2E0B78157E3A11 680 8528787054591062095 0.9918039142821028", sequence);
    }

    [TestMethod]
    public void Numbers_stay_in_their_range_and_reach_all_of_it()
    {
        SeededRandom random = new(1);
        int[] seen = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            seen[random.Next(-3, 4) + 3]++;
        }

        Assert.IsTrue(seen.All(count => count is > 9_000 and < 11_000), string.Join(' ', seen));
        Assert.AreEqual(5, random.Next(5, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(5, 4));
        SeededRandom fork = random.Fork();
        Assert.AreNotEqual(random.NextInt64(), fork.NextInt64());
    }
}
