using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// A point of edwards25519, -x^2 + y^2 = 1 + d x^2 y^2, in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. All coordinates stay tight in the
/// sense of <see cref="FieldElement"/>. The formulas are complete, so no input needs a special case.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EdwardsPoint
{
    internal const int Bytes = 32;

    internal FieldElement X;
    internal FieldElement Y;
    internal FieldElement Z;
    internal FieldElement T;

    internal static EdwardsPoint Identity => new() { Y = FieldElement.One, Z = FieldElement.One };

    /// <summary>
    /// Decodes as most of the field does, not as RFC 8032 asks: y may be p or more, and x = 0 may carry a sign. Variable time: for public points.
    /// </summary>
    internal static bool TryDecode(ReadOnlySpan<byte> encoded, out EdwardsPoint point)
    {
        point = default;
        FieldElement y = FieldElement.FromBytes(encoded);
        FieldElement one = FieldElement.One;

        // x^2 = u/v with u = y^2 - 1, v = d y^2 + 1; the candidate root is u v^3 (u v^7)^((p-5)/8) (RFC 8032, section 5.1.3).
        FieldElement.Square(out FieldElement yy, in y);
        FieldElement.Subtract(out FieldElement u, in yy, in one);
        FieldElement.Multiply(out FieldElement v, in yy, in EdwardsConstants.D);
        FieldElement.Add(out v, in v, in one);
        FieldElement.Square(out FieldElement v3, in v);
        FieldElement.Multiply(out v3, in v3, in v);
        FieldElement.Square(out FieldElement power, in v3);
        FieldElement.Multiply(out power, in power, in v);
        FieldElement.Multiply(out power, in power, in u);
        FieldElement.PowerForRoot(out power, in power);
        FieldElement.Multiply(out FieldElement x, in u, in v3);
        FieldElement.Multiply(out x, in x, in power);

        FieldElement.Square(out FieldElement check, in x);
        FieldElement.Multiply(out check, in check, in v);
        if (!FieldElement.AreEqual(in check, in u))
        {
            FieldElement.Negate(out FieldElement minusU, in u);
            if (!FieldElement.AreEqual(in check, in minusU))
                return false;
            FieldElement.Multiply(out x, in x, in EdwardsConstants.RootOfMinusOne);
        }

        if (x.IsNegative() != (ulong)(encoded[31] >> 7))
            FieldElement.Negate(out x, in x);

        point.X = x;
        point.Y = y;
        point.Z = one;
        FieldElement.Multiply(out point.T, in x, in y);
        return true;
    }

    /// <summary>Writes the canonical encoding: y with the sign of x in the top bit.</summary>
    internal readonly void Encode(Span<byte> destination)
    {
        FieldElement.Invert(out FieldElement inverse, in Z);
        FieldElement.Multiply(out FieldElement x, in X, in inverse);
        FieldElement.Multiply(out FieldElement y, in Y, in inverse);
        y.WriteBytes(destination);
        destination[31] |= (byte)(x.IsNegative() << 7);
        FieldElement.Clear(ref inverse);
    }

    /// <summary>Whether this is the neutral point. Variable time: for public points.</summary>
    internal readonly bool IsIdentity() => X.IsZero() && FieldElement.AreEqual(in Y, in Z);

    internal static void Double(out EdwardsPoint result, in EdwardsPoint p)
    {
        FieldElement.Square(out FieldElement a, in p.X);
        FieldElement.Square(out FieldElement b, in p.Y);
        FieldElement.Square(out FieldElement c, in p.Z);
        FieldElement.Add(out FieldElement xy, in p.X, in p.Y);
        FieldElement.Square(out xy, in xy);
        FieldElement.Add(out FieldElement h, in a, in b);
        FieldElement.Subtract(out FieldElement e, in h, in xy);
        FieldElement.Subtract(out FieldElement g, in a, in b);
        FieldElement.Add(out c, in c, in c);
        FieldElement.Add(out FieldElement f, in c, in g);
        Complete(out result, in e, in f, in g, in h);
    }

    internal static void Add(out EdwardsPoint result, in EdwardsPoint p, in CachedPoint q)
    {
        FieldElement.Multiply(out FieldElement d, in p.Z, in q.DoubleZ);
        AddTo(out result, in p, in q.Affine, in d);
    }

    /// <summary>Adds a point whose Z is 1, one multiplication cheaper.</summary>
    internal static void Add(out EdwardsPoint result, in EdwardsPoint p, in AffineCachedPoint q)
    {
        FieldElement.Add(out FieldElement d, in p.Z, in p.Z);
        AddTo(out result, in p, in q, in d);
    }

    internal static void Clear(ref EdwardsPoint value) => CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<EdwardsPoint>(ref value)));

    private static void AddTo(out EdwardsPoint result, in EdwardsPoint p, in AffineCachedPoint q, in FieldElement d)
    {
        FieldElement.Subtract(out FieldElement a, in p.Y, in p.X);
        FieldElement.Multiply(out a, in a, in q.YMinusX);
        FieldElement.Add(out FieldElement b, in p.Y, in p.X);
        FieldElement.Multiply(out b, in b, in q.YPlusX);
        FieldElement.Multiply(out FieldElement c, in p.T, in q.DoubleDTimesT);
        FieldElement.Subtract(out FieldElement e, in b, in a);
        FieldElement.Subtract(out FieldElement f, in d, in c);
        FieldElement.Add(out FieldElement g, in d, in c);
        FieldElement.Add(out FieldElement h, in b, in a);
        Complete(out result, in e, in f, in g, in h);
    }

    private static void Complete(out EdwardsPoint result, in FieldElement e, in FieldElement f, in FieldElement g, in FieldElement h)
    {
        FieldElement.Multiply(out result.X, in e, in f);
        FieldElement.Multiply(out result.Y, in g, in h);
        FieldElement.Multiply(out result.Z, in f, in g);
        FieldElement.Multiply(out result.T, in e, in h);
    }
}

/// <summary>An addend prepared for repeated use: y + x, y - x and 2d xy of a point, with Z taken as 1.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AffineCachedPoint
{
    internal FieldElement YPlusX;
    internal FieldElement YMinusX;
    internal FieldElement DoubleDTimesT;

    /// <summary>Turns the point into its negative where <paramref name="bit"/> is 1.</summary>
    internal void NegateIf(ulong bit)
    {
        FieldElement.Exchange(ref YPlusX, ref YMinusX, bit);
        FieldElement.Negate(out FieldElement minus, in DoubleDTimesT);
        DoubleDTimesT.Assign(in minus, 0 - bit);
    }
}

/// <summary>An addend prepared for repeated use whose Z is not 1.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CachedPoint
{
    internal AffineCachedPoint Affine;
    internal FieldElement DoubleZ;

    internal CachedPoint(in EdwardsPoint p)
    {
        FieldElement.Add(out Affine.YPlusX, in p.Y, in p.X);
        FieldElement.Subtract(out Affine.YMinusX, in p.Y, in p.X);
        FieldElement.Multiply(out Affine.DoubleDTimesT, in p.T, in EdwardsConstants.DoubleD);
        FieldElement.Add(out DoubleZ, in p.Z, in p.Z);
    }
}
