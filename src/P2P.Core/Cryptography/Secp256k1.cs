using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// Verifies ECDSA signatures of peers whose identity lies on secp256k1 (SEC 2, section 2.4.1). The platform does it where it has the curve; the
/// managed way serves the others (macOS). Only public values pass here, so nothing needs to be constant time.
/// </summary>
internal static class Secp256k1
{
    internal const int CompressedKeyBytes = 33;

    private const int FieldBytes = 32;

    private static readonly BigInteger FieldPrime = Parse("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F");
    private static readonly BigInteger Order = Parse("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141");
    private static readonly Point Base = new(
        Parse("79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"),
        Parse("483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"),
        BigInteger.One);

    private static readonly bool PlatformHasCurve = ProbePlatform();

    /// <summary>Verifies over the SHA-256 of the message. High S is accepted: a peer id does not depend on its signatures being unique.</summary>
    internal static bool VerifyDer(ReadOnlySpan<byte> compressedPublicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> derSignature) =>
        PlatformHasCurve ? VerifyByPlatform(compressedPublicKey, message, derSignature) : VerifyManaged(compressedPublicKey, message, derSignature);

    internal static bool IsValidKey(ReadOnlySpan<byte> compressedPublicKey) => TryDecompress(compressedPublicKey, out _);

    internal static bool VerifyManaged(ReadOnlySpan<byte> compressedPublicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> derSignature)
    {
        Span<byte> signature = stackalloc byte[EcdsaSignature.FixedBytes];
        if (!TryDecompress(compressedPublicKey, out Point key) || !EcdsaSignature.TryReadDer(derSignature, signature))
            return false;
        BigInteger r = Read(signature[..FieldBytes]);
        BigInteger s = Read(signature[FieldBytes..]);
        if (r.IsZero || s.IsZero || r >= Order || s >= Order)
            return false;

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(message, hash);
        BigInteger inverse = BigInteger.ModPow(s, Order - 2, Order);
        BigInteger u1 = Read(hash) * inverse % Order;
        BigInteger u2 = r * inverse % Order;
        Point sum = MultiplyBoth(u1, Base, u2, key);
        if (sum.IsInfinity)
            return false;

        // x mod n = r, compared without leaving Jacobian coordinates: x = X/Z^2, and x is r or r + n.
        BigInteger zz = Modulo(sum.Z * sum.Z);
        return sum.X == Modulo(r * zz) || (r + Order < FieldPrime && sum.X == Modulo((r + Order) * zz));
    }

    private static bool VerifyByPlatform(ReadOnlySpan<byte> compressedPublicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> derSignature)
    {
        Span<byte> signature = stackalloc byte[EcdsaSignature.FixedBytes];
        if (!TryDecompress(compressedPublicKey, out Point key) || !EcdsaSignature.TryReadDer(derSignature, signature))
            return false;
        using ECDsa ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.CreateFromValue("1.3.132.0.10"),
            Q = new ECPoint { X = Write(key.X), Y = Write(key.Y) },
        });
        return ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static bool ProbePlatform()
    {
        try
        {
            using ECDsa ecdsa = ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.CreateFromValue("1.3.132.0.10"),
                Q = new ECPoint { X = Write(Base.X), Y = Write(Base.Y) },
            });
            return true;
        }
        catch (Exception exception) when (exception is CryptographicException or NotSupportedException)
        {
            // The platform's answer to "do you know this curve": no.
            return false;
        }
    }

    /// <summary>SEC 1, section 2.3.4: 02 or 03 for the parity of y, then x. y^2 = x^3 + 7, and p = 3 mod 4 makes the root a power.</summary>
    private static bool TryDecompress(ReadOnlySpan<byte> compressed, out Point point)
    {
        point = default;
        if (compressed.Length != CompressedKeyBytes || compressed[0] is not (2 or 3))
            return false;
        BigInteger x = Read(compressed[1..]);
        if (x >= FieldPrime)
            return false;
        BigInteger square = Modulo((x * x * x) + 7);
        BigInteger y = BigInteger.ModPow(square, (FieldPrime + 1) / 4, FieldPrime);
        if (Modulo(y * y) != square)
            return false;
        if (y.IsEven != (compressed[0] == 2))
            y = FieldPrime - y;
        point = new Point(x, y, BigInteger.One);
        return true;
    }

    /// <summary>a x P + b x Q in one run of doublings (Shamir's trick).</summary>
    private static Point MultiplyBoth(BigInteger a, Point p, BigInteger b, Point q)
    {
        Point both = Add(p, q);
        Point result = default;
        for (int bit = 255; bit >= 0; bit--)
        {
            result = Double(result);
            bool useP = !((a >> bit) & 1).IsZero, useQ = !((b >> bit) & 1).IsZero;
            if (useP && useQ)
                result = Add(result, both);
            else if (useP)
                result = Add(result, p);
            else if (useQ)
                result = Add(result, q);
        }

        return result;
    }

    /// <summary>Doubling in Jacobian coordinates for a = 0.</summary>
    private static Point Double(Point p)
    {
        if (p.IsInfinity)
            return p;
        BigInteger yy = Modulo(p.Y * p.Y);
        BigInteger s = Modulo(4 * p.X * yy);
        BigInteger m = Modulo(3 * p.X * p.X);
        BigInteger x = Modulo((m * m) - (2 * s));
        return new Point(x, Modulo((m * (s - x)) - (8 * yy * yy)), Modulo(2 * p.Y * p.Z));
    }

    private static Point Add(Point p, Point q)
    {
        if (p.IsInfinity)
            return q;
        if (q.IsInfinity)
            return p;
        BigInteger pzz = Modulo(p.Z * p.Z), qzz = Modulo(q.Z * q.Z);
        BigInteger u1 = Modulo(p.X * qzz), u2 = Modulo(q.X * pzz);
        BigInteger s1 = Modulo(p.Y * Modulo(q.Z * qzz)), s2 = Modulo(q.Y * Modulo(p.Z * pzz));
        if (u1 == u2)
            return s1 == s2 ? Double(p) : default;
        BigInteger h = u2 - u1, r = s2 - s1;
        BigInteger hh = Modulo(h * h), hhh = Modulo(h * hh), v = Modulo(u1 * hh);
        BigInteger x = Modulo((r * r) - hhh - (2 * v));
        return new Point(x, Modulo((r * (v - x)) - (s1 * hhh)), Modulo(Modulo(p.Z * q.Z) * h));
    }

    private static BigInteger Modulo(BigInteger value)
    {
        BigInteger rest = value % FieldPrime;
        return rest.Sign < 0 ? rest + FieldPrime : rest;
    }

    private static BigInteger Read(ReadOnlySpan<byte> bigEndian) => new(bigEndian, isUnsigned: true, isBigEndian: true);

    private static byte[] Write(BigInteger value)
    {
        byte[] bytes = new byte[FieldBytes];
        int length = value.GetByteCount(isUnsigned: true);
        _ = value.TryWriteBytes(bytes.AsSpan(FieldBytes - length), out _, isUnsigned: true, isBigEndian: true);
        return bytes;
    }

    private static BigInteger Parse(string hex) => BigInteger.Parse("0" + hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>A point in Jacobian coordinates, x = X/Z^2, y = Y/Z^3; the default, Z = 0, is the point at infinity.</summary>
    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z)
    {
        internal bool IsInfinity => Z.IsZero;
    }
}
