using System.Security.Cryptography;
using P2P.Core.Cryptography;

namespace P2P.Core.Identity;

/// <summary>ECDSA identity keys: P-256 with SHA-256, the only curve in use among peers, as SubjectPublicKeyInfo with an uncompressed point.</summary>
internal static class P256PublicKey
{
    private const int CoordinateBytes = 32;

    /// <summary>SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING of 65 bytes that begins with 04 } (RFC 5480): all but x and y.</summary>
    private static ReadOnlySpan<byte> Prefix =>
        [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04];

    internal static bool IsValid(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        using ECDsa? key = Import(subjectPublicKeyInfo);
        return key is not null;
    }

    internal static bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlySpan<byte> message, ReadOnlySpan<byte> derSignature)
    {
        Span<byte> signature = stackalloc byte[EcdsaSignature.FixedBytes];
        if (!EcdsaSignature.TryReadDer(derSignature, signature))
            return false;
        using ECDsa? key = Import(subjectPublicKeyInfo);
        return key is not null
            && key.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static ECDsa? Import(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        if (subjectPublicKeyInfo.Length != Prefix.Length + (2 * CoordinateBytes) || !subjectPublicKeyInfo.StartsWith(Prefix))
            return null;
        ReadOnlySpan<byte> point = subjectPublicKeyInfo[Prefix.Length..];
        try
        {
            return ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[..CoordinateBytes].ToArray(), Y = point[CoordinateBytes..].ToArray() },
            });
        }
        catch (CryptographicException)
        {
            // The peer's point is not on the curve: the answer to the question asked, not a failure of ours.
            return null;
        }
    }
}
