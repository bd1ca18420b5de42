using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace P2P.Core.Tests.Cryptography;

/// <summary>
/// edwards25519 from its definition, over BigInteger: slow, short, and sharing nothing with the code under test.
/// </summary>
internal static class ReferenceEdwards
{
    internal static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    internal static readonly BigInteger L = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", CultureInfo.InvariantCulture);
    internal static readonly BigInteger D = Mod(-121665 * Inverse(121666));
    internal static readonly BigInteger RootOfMinusOne = BigInteger.ModPow(2, (P - 1) / 4, P);
    internal static readonly ReferencePoint Base = Decode(Write(Mod(4 * Inverse(5))))!.Value;

    internal static BigInteger Mod(BigInteger value) => ((value % P) + P) % P;

    internal static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(Mod(value), P - 2, P);

    internal static BigInteger Read(ReadOnlySpan<byte> littleEndian) => new(littleEndian, isUnsigned: true);

    internal static byte[] Write(BigInteger value)
    {
        byte[] bytes = new byte[32];
        Assert.IsTrue(value.TryWriteBytes(bytes, out _, isUnsigned: true));
        return bytes;
    }

    internal static ReferencePoint Add(ReferencePoint a, ReferencePoint b) => Divide(Add((a.X, a.Y, 1), (b.X, b.Y, 1)));

    internal static ReferencePoint Multiply(BigInteger scalar, ReferencePoint point)
    {
        (BigInteger X, BigInteger Y, BigInteger Z) result = (0, 1, 1), power = (point.X, point.Y, 1);
        for (; !scalar.IsZero; scalar >>= 1, power = Add(power, power))
        {
            if (!scalar.IsEven)
                result = Add(result, power);
        }

        return Divide(result);
    }

    /// <summary>The addition law of the definition with the fractions brought to one denominator, Z.</summary>
    private static (BigInteger X, BigInteger Y, BigInteger Z) Add((BigInteger X, BigInteger Y, BigInteger Z) a, (BigInteger X, BigInteger Y, BigInteger Z) b)
    {
        BigInteger z = a.Z * b.Z % P, xx = a.X * b.X % P, yy = a.Y * b.Y % P;
        BigInteger zz = z * z % P, product = D * xx % P * yy % P;
        BigInteger less = zz - product, more = zz + product;
        return (z * less % P * (((a.X * b.Y) + (b.X * a.Y)) % P) % P, z * more % P * ((yy + xx) % P) % P, less * more % P);
    }

    private static ReferencePoint Divide((BigInteger X, BigInteger Y, BigInteger Z) point)
    {
        BigInteger inverse = Inverse(point.Z);
        return new ReferencePoint(Mod(point.X * inverse), Mod(point.Y * inverse));
    }

    internal static byte[] Encode(ReferencePoint point)
    {
        byte[] bytes = Write(point.Y);
        bytes[31] |= (byte)(point.X.IsEven ? 0 : 0x80);
        return bytes;
    }

    /// <summary>Accepts y from p on and a sign on x = 0, as Go does.</summary>
    internal static ReferencePoint? Decode(ReadOnlySpan<byte> encoded)
    {
        byte[] masked = encoded.ToArray();
        masked[31] &= 0x7f;
        BigInteger y = Mod(Read(masked));
        BigInteger square = Mod(((y * y) - 1) * Inverse((D * y * y) + 1));
        BigInteger x = BigInteger.ModPow(square, (P + 3) / 8, P);
        if (Mod(x * x) != square)
            x = Mod(x * RootOfMinusOne);
        if (Mod(x * x) != square)
            return null;
        if (x.IsEven == ((encoded[31] & 0x80) != 0))
            x = Mod(-x);
        return new ReferencePoint(x, y);
    }

    /// <summary>The rules of Go's verification: S below L, and R the canonical encoding of [S]B - [k]A, k over the bytes as received.</summary>
    internal static bool Verify(byte[] publicKey, byte[] message, byte[] signature)
    {
        BigInteger s = Read(signature.AsSpan(32));
        if (s >= L || Decode(publicKey) is not { } a)
            return false;
        BigInteger k = Challenge(signature.AsSpan(0, 32), publicKey, message);
        ReferencePoint minusA = new(Mod(-a.X), a.Y);
        return Encode(Add(Multiply(s, Base), Multiply(k, minusA))).AsSpan().SequenceEqual(signature.AsSpan(0, 32));
    }

    internal static BigInteger Challenge(ReadOnlySpan<byte> r, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message) =>
        Read(SHA512.HashData([.. r, .. publicKey, .. message])) % L;
}

internal readonly record struct ReferencePoint(BigInteger X, BigInteger Y);
