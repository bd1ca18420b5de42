using System.Diagnostics;
using P2P.Core.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>
/// Goal: notice if time depends on a secret. Method: that of dudect (Reparaz, Balasch, Verbauwhede): measure one fixed secret and random ones in
/// random order, drop the slow outliers, compare the means with Welch's t. |t| above 10 means that they differ; a leak grows with the number of
/// measurements, noise does not, so a run above the limit is repeated and only three in a row count.
/// </summary>
[TestClass]
[SlowTest]
[DoNotParallelize]
public sealed class TimingTests
{
    private const double Limit = 10;
    private const int Measurements = 20_000;
    private const int Tries = 3;

    private delegate void Operation(ReadOnlySpan<byte> secret);

    [TestMethod]
    [DataRow((byte)0x00)]
    [DataRow((byte)0xff)]
    public void Agreement_takes_the_same_time_for_any_private_key(byte fill)
    {
        byte[] peer = new byte[32], shared = new byte[32];
        X25519.DerivePublicKey(CryptographyData.Bytes(1, 32), peer);
        AssertConstant(fill, secret => X25519.TryAgree(secret, peer, shared));
    }

    [TestMethod]
    [DataRow((byte)0x00)]
    [DataRow((byte)0x07)]
    public void Multiples_of_the_base_point_take_the_same_time_for_any_scalar(byte fill) => AssertConstant(fill, secret =>
    {
        EdwardsBase.Multiply(out EdwardsPoint point, secret);
        EdwardsPoint.Clear(ref point);
    });

    [TestMethod]
    public void Scalars_take_the_same_time_to_multiply()
    {
        byte[] challenge = CryptographyData.Bytes(2, 32), nonce = CryptographyData.Bytes(3, 32), result = new byte[32];
        challenge[31] = nonce[31] = 0x0f;
        AssertConstant(0x00, secret =>
        {
            for (int i = 0; i < 16; i++)
                EdwardsScalar.MultiplyAdd(challenge, secret, nonce, result);
        });
    }

    [TestMethod]
    public void Signing_takes_the_same_time_for_any_seed()
    {
        byte[] message = new byte[64], signature = new byte[64];
        AssertConstant(0x00, secret => Ed25519.Sign(secret, message, signature));
    }

    /// <summary>The check itself must be able to fail: the variable-time multiplication is told apart at once.</summary>
    [TestMethod]
    public void A_leak_is_seen()
    {
        Assert.IsTrue(EdwardsPoint.TryDecode(ReferenceEdwards.Encode(ReferenceEdwards.Base), out EdwardsPoint point));
        double t = Measure(0x01, secret => EdwardsVariableTime.Multiply(out _, in point, secret));
        Assert.IsGreaterThan(Limit, Math.Abs(t));
    }

    private static void AssertConstant(byte fill, Operation operation)
    {
        List<double> seen = [];
        for (int i = 0; i < Tries; i++)
        {
            seen.Add(Measure(fill, operation));
            if (Math.Abs(seen[^1]) <= Limit)
                return;
        }

        Assert.Fail($"The time depends on the secret: t = {string.Join(", ", seen.Select(t => t.ToString("F1")))}.");
    }

    private static double Measure(byte fill, Operation operation)
    {
        byte[] secrets = new byte[Measurements * 32];
        bool[] isFixed = new bool[Measurements];
        Random order = new(1);
        for (int i = 0; i < Measurements; i++)
        {
            isFixed[i] = order.Next(2) == 0;
            Span<byte> secret = secrets.AsSpan(i * 32, 32);
            if (isFixed[i])
                secret.Fill(fill);
            else
                order.NextBytes(secret);
            secret[31] &= 0x0f;
        }

        // Until the last tier of the JIT compiler is reached, time changes on its own.
        for (int i = 0; i < Measurements / 4; i++)
            operation(secrets.AsSpan(i * 32, 32));

        long[] ticks = new long[Measurements];
        for (int i = 0; i < Measurements; i++)
        {
            long start = Stopwatch.GetTimestamp();
            operation(secrets.AsSpan(i * 32, 32));
            ticks[i] = Stopwatch.GetTimestamp() - start;
        }

        // Interruptions only ever add: keep the fastest three quarters of all, the same cut for both classes.
        long[] sorted = [.. ticks.Order()];
        long cut = sorted[Measurements * 3 / 4];
        return WelchT(ticks.Where((t, i) => isFixed[i] && t <= cut), ticks.Where((t, i) => !isFixed[i] && t <= cut));
    }

    private static double WelchT(IEnumerable<long> one, IEnumerable<long> other)
    {
        (double mean1, double error1) = MeanAndSquaredError(one);
        (double mean2, double error2) = MeanAndSquaredError(other);
        return (mean1 - mean2) / Math.Sqrt(error1 + error2);
    }

    private static (double Mean, double SquaredError) MeanAndSquaredError(IEnumerable<long> values)
    {
        double[] all = [.. values.Select(v => (double)v)];
        double mean = all.Average();
        return (mean, all.Sum(v => (v - mean) * (v - mean)) / (all.Length - 1.0) / all.Length);
    }
}
