using System.Security.Cryptography;

namespace P2P.Core.Identity;

/// <summary>RSA identity keys as SubjectPublicKeyInfo, PKCS#1 v1.5 with SHA-256, bounded so that no peer can make a verification slow.</summary>
internal static class RsaPublicKey
{
    private const int MinBits = 2048;
    private const int MaxBits = 8192;

    /// <summary>The largest public exponent is 2^31 - 1, as in the other implementations (bytes).</summary>
    private const int MaxExponentBytes = 4;

    internal static bool IsValid(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        using RSA? key = Import(subjectPublicKeyInfo);
        return key is not null;
    }

    internal static bool Verify(ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using RSA? key = Import(subjectPublicKeyInfo);
        return key is not null
            && signature.Length == (key.KeySize + 7) / 8
            && key.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static RSA? Import(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        if (subjectPublicKeyInfo.Length > PublicKey.MaxEncodedBytes)
            return null;
        RSA? key = RSA.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out int read);
            if (read != subjectPublicKeyInfo.Length || key.KeySize is < MinBits or > MaxBits || !HasSoundParameters(key))
                return null;
            RSA accepted = key;
            key = null;
            return accepted;
        }
        catch (CryptographicException)
        {
            // The peer's bytes are no RSA key: the answer to the question asked, not a failure of ours.
            return null;
        }
        finally
        {
            key?.Dispose();
        }
    }

    private static bool HasSoundParameters(RSA key)
    {
        RSAParameters parameters = key.ExportParameters(includePrivateParameters: false);
        ReadOnlySpan<byte> modulus = parameters.Modulus, exponent = parameters.Exponent;
        exponent = exponent.TrimStart((byte)0);
        return (modulus[^1] & 1) == 1
            && exponent.Length is > 0 and <= MaxExponentBytes
            && (exponent.Length < MaxExponentBytes || exponent[0] < 0x80)
            && (exponent[^1] & 1) == 1
            && (exponent.Length > 1 || exponent[0] >= 3);
    }
}
