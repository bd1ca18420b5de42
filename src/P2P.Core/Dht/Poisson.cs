namespace P2P.Core.Dht;

/// <summary>How many of points thrown at random lie in a part of the keyspace: keys are hashes, so their number follows the distribution of Poisson.</summary>
internal static class Poisson
{
    /// <summary>The probability that there are no more than <paramref name="count"/> where <paramref name="mean"/> are expected.</summary>
    public static double AtMost(int count, double mean)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(mean);
        double term = Math.Exp(-mean), sum = term;
        for (int i = 1; i <= count; i++)
        {
            term *= mean / i;
            sum += term;
        }

        return Math.Min(1, sum);
    }

    /// <summary>How many must be expected for <see cref="AtMost"/> to be this probability.</summary>
    public static double MeanFor(int count, double probability)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(probability, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(probability, 1);
        double low = 0, high = (4 * count) + 50;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            if (AtMost(count, middle) > probability)
                low = middle;
            else
                high = middle;
        }

        return (low + high) / 2;
    }
}
