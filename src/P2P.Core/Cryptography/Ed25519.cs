using System.Security.Cryptography;

namespace P2P.Core.Cryptography;

/// <summary>
/// Ed25519 signatures (RFC 8032), managed and constant time for secrets, because the base library does not have them. Verification follows what
/// most of the field does: cofactorless, S below L, R compared with the canonical encoding of [S]B - [k]A, a non-canonical A accepted, k hashed
/// over the bytes as received. Keys that name a peer must besides pass <see cref="IsAcceptableIdentityKey"/>.
/// </summary>
internal static class Ed25519
{
    internal const int SeedBytes = 32;
    internal const int PublicKeyBytes = 32;
    internal const int SignatureBytes = 64;

    private const int HashBytes = SHA512.HashSizeInBytes;

    internal static void DerivePublicKey(ReadOnlySpan<byte> seed, Span<byte> publicKey)
    {
        CheckLength(seed.Length, SeedBytes, nameof(seed));
        CheckLength(publicKey.Length, PublicKeyBytes, nameof(publicKey));
        Span<byte> expanded = stackalloc byte[HashBytes];
        Expand(seed, expanded);
        EncodeMultipleOfBase(expanded[..32], publicKey);
        CryptographicOperations.ZeroMemory(expanded);
    }

    /// <summary>Signs. The public key is derived here and never taken from the caller: signing with a wrong one would give the secret away.</summary>
    internal static void Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        CheckLength(seed.Length, SeedBytes, nameof(seed));
        CheckLength(signature.Length, SignatureBytes, nameof(signature));
        Span<byte> expanded = stackalloc byte[HashBytes];
        Span<byte> hash = stackalloc byte[HashBytes];
        Span<byte> publicKey = stackalloc byte[PublicKeyBytes];
        Span<byte> nonce = stackalloc byte[EdwardsScalar.Bytes];
        Span<byte> challenge = stackalloc byte[EdwardsScalar.Bytes];
        Span<byte> signed = stackalloc byte[SignatureBytes];

        Expand(seed, expanded);
        EncodeMultipleOfBase(expanded[..32], publicKey);

        // The message is read again after R is written, so R must not overwrite it: the caller's buffers may overlap.
        Hash(expanded[32..], [], message, hash);
        EdwardsScalar.Reduce(hash, nonce);
        EncodeMultipleOfBase(nonce, signed[..32]);
        Hash(signed[..32], publicKey, message, hash);
        EdwardsScalar.Reduce(hash, challenge);
        EdwardsScalar.MultiplyAdd(challenge, expanded[..32], nonce, signed[32..]);
        signed.CopyTo(signature);

        CryptographicOperations.ZeroMemory(expanded);
        CryptographicOperations.ZeroMemory(hash);
        CryptographicOperations.ZeroMemory(nonce);
    }

    internal static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicKeyBytes || signature.Length != SignatureBytes)
            return false;
        ReadOnlySpan<byte> r = signature[..32], s = signature[32..];
        if (!EdwardsScalar.IsCanonical(s) || !EdwardsPoint.TryDecode(publicKey, out EdwardsPoint a))
            return false;

        Span<byte> hash = stackalloc byte[HashBytes];
        Span<byte> challenge = stackalloc byte[EdwardsScalar.Bytes];
        Hash(r, publicKey, message, hash);
        EdwardsScalar.Reduce(hash, challenge);

        FieldElement.Negate(out a.X, in a.X);
        FieldElement.Negate(out a.T, in a.T);
        EdwardsVariableTime.Multiply(out EdwardsPoint minusKa, in a, challenge);
        EdwardsBase.Multiply(out EdwardsPoint sb, s);
        CachedPoint addend = new(in minusKa);
        EdwardsPoint.Add(out EdwardsPoint expected, in sb, in addend);

        Span<byte> encoded = stackalloc byte[EdwardsPoint.Bytes];
        expected.Encode(encoded);
        return encoded.SequenceEqual(r);
    }

    /// <summary>
    /// Whether a key may name a peer: a canonical encoding of a point on the curve whose order is not small. A small-order key would verify
    /// signatures that nobody made, a second encoding would give one key two peer ids.
    /// </summary>
    internal static bool IsAcceptableIdentityKey(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != PublicKeyBytes || !EdwardsPoint.TryDecode(publicKey, out EdwardsPoint point))
            return false;
        Span<byte> canonical = stackalloc byte[PublicKeyBytes];
        point.Encode(canonical);
        if (!canonical.SequenceEqual(publicKey))
            return false;

        for (int i = 0; i < 3; i++)
            EdwardsPoint.Double(out point, in point);
        return !point.IsIdentity();
    }

    /// <summary>SHA-512 of the seed: the clamped secret scalar, then the prefix that nonces are hashed from (RFC 8032, section 5.1.5).</summary>
    private static void Expand(ReadOnlySpan<byte> seed, Span<byte> expanded)
    {
        SHA512.HashData(seed, expanded);
        expanded[0] &= 0xf8;
        expanded[31] = (byte)((expanded[31] & 0x7f) | 0x40);
    }

    private static void EncodeMultipleOfBase(ReadOnlySpan<byte> scalar, Span<byte> encoded)
    {
        EdwardsBase.Multiply(out EdwardsPoint point, scalar);
        point.Encode(encoded);
        EdwardsPoint.Clear(ref point);
    }

    private static void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> hash)
    {
        using IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        sha.AppendData(first);
        sha.AppendData(second);
        sha.AppendData(third);
        sha.GetHashAndReset(hash);
    }

    private static void CheckLength(int length, int expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"This Ed25519 value has {expected} bytes, not {length}.", name);
    }
}
