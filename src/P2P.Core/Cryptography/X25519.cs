using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// X25519 (RFC 7748), managed and constant time, because the base library does not have it. Private keys are clamped here; public keys may be
/// non-canonical and their top bit is ignored, as section 5 asks.
/// </summary>
internal static class X25519
{
    internal const int KeyBytes = 32;

    /// <summary>(A + 2) / 4 - 1 for the curve coefficient A = 486662 (RFC 7748, section 5).</summary>
    private const uint A24 = 121665;

    internal static void DerivePublicKey(ReadOnlySpan<byte> privateKey, Span<byte> publicKey)
    {
        CheckLength(privateKey, nameof(privateKey));
        CheckLength(publicKey, nameof(publicKey));
        Span<byte> scalar = stackalloc byte[KeyBytes];
        Clamp(privateKey, scalar);

        // The base point times the scalar on the Edwards form of the curve, where a table exists; then u = (Z + Y) / (Z - Y).
        EdwardsBase.Multiply(out EdwardsPoint point, scalar);
        FieldElement.Add(out FieldElement sum, in point.Z, in point.Y);
        FieldElement.Subtract(out FieldElement difference, in point.Z, in point.Y);
        FieldElement.Invert(out difference, in difference);
        FieldElement.Multiply(out FieldElement u, in sum, in difference);
        u.WriteBytes(publicKey);

        // The denominator too: projective coordinates of a secret multiple tell about the scalar.
        CryptographicOperations.ZeroMemory(scalar);
        EdwardsPoint.Clear(ref point);
        FieldElement.Clear(ref sum);
        FieldElement.Clear(ref difference);
    }

    /// <summary>Computes the shared secret.</summary>
    /// <returns>False if the result is all zero, which happens exactly for peers' points of small order; such a handshake must fail.</returns>
    internal static bool TryAgree(ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret)
    {
        CheckLength(privateKey, nameof(privateKey));
        CheckLength(peerPublicKey, nameof(peerPublicKey));
        CheckLength(sharedSecret, nameof(sharedSecret));
        Span<byte> scalar = stackalloc byte[KeyBytes];
        Clamp(privateKey, scalar);
        Ladder(scalar, peerPublicKey, sharedSecret);
        CryptographicOperations.ZeroMemory(scalar);

        int any = 0;
        foreach (byte b in sharedSecret[..KeyBytes])
            any |= b;
        return any != 0;
    }

    private static void Ladder(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> peerPublicKey, Span<byte> result)
    {
        FieldElement x1 = FieldElement.FromBytes(peerPublicKey);
        FieldElement x2 = FieldElement.One, z2 = FieldElement.Zero, x3 = x1, z3 = FieldElement.One;
        ulong swapped = 0;
        for (int position = 254; position >= 0; position--)
        {
            ulong bit = ((uint)scalar[position >> 3] >> (position & 7)) & 1;
            swapped ^= bit;
            FieldElement.Exchange(ref x2, ref x3, swapped);
            FieldElement.Exchange(ref z2, ref z3, swapped);
            swapped = bit;
            Step(in x1, ref x2, ref z2, ref x3, ref z3);
        }

        FieldElement.Exchange(ref x2, ref x3, swapped);
        FieldElement.Exchange(ref z2, ref z3, swapped);
        FieldElement.Invert(out z2, in z2);
        FieldElement.Multiply(out x2, in x2, in z2);
        x2.WriteBytes(result);

        FieldElement.Clear(ref x2);
        FieldElement.Clear(ref z2);
        FieldElement.Clear(ref x3);
        FieldElement.Clear(ref z3);
    }

    /// <summary>One doubling and one differential addition; the letters are those of RFC 7748, section 5.</summary>
    private static void Step(in FieldElement x1, ref FieldElement x2, ref FieldElement z2, ref FieldElement x3, ref FieldElement z3)
    {
        FieldElement.Add(out FieldElement a, in x2, in z2);
        FieldElement.Subtract(out FieldElement b, in x2, in z2);
        FieldElement.Add(out FieldElement c, in x3, in z3);
        FieldElement.Subtract(out FieldElement d, in x3, in z3);
        FieldElement.Multiply(out FieldElement da, in d, in a);
        FieldElement.Multiply(out FieldElement cb, in c, in b);
        FieldElement.Square(out FieldElement aa, in a);
        FieldElement.Square(out FieldElement bb, in b);

        FieldElement.Add(out x3, in da, in cb);
        FieldElement.Square(out x3, in x3);
        FieldElement.Subtract(out z3, in da, in cb);
        FieldElement.Square(out z3, in z3);
        FieldElement.Multiply(out z3, in z3, in x1);

        FieldElement.Multiply(out x2, in aa, in bb);
        FieldElement.Subtract(out FieldElement e, in aa, in bb);
        FieldElement.MultiplySmall(out z2, in e, A24);
        FieldElement.Add(out z2, in z2, in aa);
        FieldElement.Multiply(out z2, in z2, in e);
    }

    private static void Clamp(ReadOnlySpan<byte> privateKey, Span<byte> scalar)
    {
        privateKey.CopyTo(scalar);
        scalar[0] &= 0xf8;
        scalar[31] = (byte)((scalar[31] & 0x7f) | 0x40);
    }

    private static void CheckLength(ReadOnlySpan<byte> value, string name)
    {
        if (value.Length != KeyBytes)
            throw new ArgumentException($"An X25519 value has {KeyBytes} bytes, not {value.Length}.", name);
    }
}
