using System.Buffers;
using System.Buffers.Text;
using SimpleBase;

namespace P2P.Core.Primitives;

/// <summary>Text that names its own encoding by its first character. Decoding is strict: each byte string has one text in each encoding (letter case aside).</summary>
internal static class Multibase
{
    /// <summary>The longest text that is decoded (characters). Identities, hashes and keys need less than 200; base58 and base36 cost the square of it.</summary>
    public const int MaxChars = 4096;

    /// <summary>The longest base58 or base36 text that is decoded (characters), because their cost grows with the square.</summary>
    public const int MaxBigIntegerChars = 512;

    /// <summary>Decodes a text with its prefix.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        return text.Length is > 0 and <= MaxChars && TryDecode((MultibaseEncoding)text[0], text[1..], out bytes);
    }

    /// <summary>Decodes a text without a prefix, in the given encoding. Where the alphabet has one case, either is accepted.</summary>
    public static bool TryDecode(MultibaseEncoding encoding, ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        bool isBigInteger = encoding is MultibaseEncoding.Base58Btc or MultibaseEncoding.Base36 or MultibaseEncoding.Base36Upper;
        if (text.Length > (isBigInteger ? MaxBigIntegerChars : MaxChars) || text.ContainsAnyExceptInRange('!', '~'))
        {
            return false;
        }

        // no encoding is shorter than one byte a character, so this always fits
        byte[] buffer = new byte[text.Length + 8];
        if (!TryDecodeInto(encoding, text, buffer, out int length))
        {
            return false;
        }

        byte[] decoded = buffer[..length];

        // The libraries forgive wrong padding bits and lengths. Encoding again and comparing is the one rule that catches all of it.
        StringComparison comparison = encoding is MultibaseEncoding.Base58Btc or MultibaseEncoding.Base64 or MultibaseEncoding.Base64Pad
            or MultibaseEncoding.Base64Url or MultibaseEncoding.Base64UrlPad ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        if (!text.Equals(EncodeBare(encoding, decoded), comparison))
        {
            return false;
        }

        bytes = decoded;
        return true;
    }

    /// <summary>Encodes with the prefix.</summary>
    public static string Encode(MultibaseEncoding encoding, ReadOnlySpan<byte> bytes) => string.Concat([(char)encoding], EncodeBare(encoding, bytes));

    /// <summary>Encodes without the prefix.</summary>
    public static string EncodeBare(MultibaseEncoding encoding, ReadOnlySpan<byte> bytes)
    {
        return encoding switch
        {
            MultibaseEncoding.Base58Btc => Base58.Bitcoin.Encode(bytes),
            MultibaseEncoding.Base32 => Base32.FileCoin.Encode(bytes),
            MultibaseEncoding.Base32Upper => Base32.Rfc4648.Encode(bytes, padding: false),
            MultibaseEncoding.Base36 => Base36.LowerCase.Encode(bytes),
            MultibaseEncoding.Base36Upper => Base36.UpperCase.Encode(bytes),
            MultibaseEncoding.Base64 => Convert.ToBase64String(bytes).TrimEnd('='),
            MultibaseEncoding.Base64Pad => Convert.ToBase64String(bytes),
            MultibaseEncoding.Base64Url => Base64Url.EncodeToString(bytes),
            MultibaseEncoding.Base64UrlPad => Base64Url.EncodeToString(bytes) + new string('=', (3 - (bytes.Length % 3)) % 3),
            MultibaseEncoding.Base16 => Convert.ToHexStringLower(bytes),
            MultibaseEncoding.Base16Upper => Convert.ToHexString(bytes),
            _ => throw new ArgumentOutOfRangeException(nameof(encoding)),
        };
    }

    private static bool TryDecodeInto(MultibaseEncoding encoding, ReadOnlySpan<char> text, Span<byte> buffer, out int length)
    {
        length = 0;
        switch (encoding)
        {
            case MultibaseEncoding.Base58Btc:
                return text.IsEmpty || Base58.Bitcoin.TryDecode(text, buffer, out length);
            case MultibaseEncoding.Base32 or MultibaseEncoding.Base32Upper:
                return text.IsEmpty || (!text.Contains('=') && Base32.Rfc4648.TryDecode(text, buffer, out length));
            case MultibaseEncoding.Base36 or MultibaseEncoding.Base36Upper:
                Span<char> lower = stackalloc char[text.Length];
                text.ToLowerInvariant(lower);
                return text.IsEmpty || Base36.LowerCase.TryDecode(lower, buffer, out length);
            case MultibaseEncoding.Base64:
                return Convert.TryFromBase64String(string.Concat(text, new string('=', (4 - (text.Length % 4)) % 4)), buffer, out length);
            case MultibaseEncoding.Base64Pad:
                return Convert.TryFromBase64Chars(text, buffer, out length);
            case MultibaseEncoding.Base64Url or MultibaseEncoding.Base64UrlPad:
                // TryDecodeFromChars throws on characters outside the alphabet.
                return Base64Url.DecodeFromChars(text, buffer, out _, out length) == OperationStatus.Done;
            case MultibaseEncoding.Base16 or MultibaseEncoding.Base16Upper:
                return Convert.FromHexString(text, buffer, out _, out length) == OperationStatus.Done;
            default:
                return false;
        }
    }
}
