using System.Buffers;
using P2P.Core.Primitives;

namespace P2P.Core.Blocks;

/// <summary>Reads the text forms of a <see cref="Cid"/>, and says what is wrong with a text that is none: people type and cut these.</summary>
internal static class CidText
{
    private const int Version0Chars = 46;

    // a version 1 identifier with a SHA-256 in base32: the form that we print
    private const int UsualChars = 59;
    private static readonly SearchValues<char> Base32Alphabet = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

    public static bool TryParse(ReadOnlySpan<char> text, out Cid cid, out string? error)
    {
        cid = default;
        error = null;
        if (text.IsEmpty)
        {
            error = "a content id is missing";
            return false;
        }

        bool isVersion0 = text.StartsWith("Qm", StringComparison.Ordinal) && text.Length == Version0Chars;
        byte[] bytes;
        if (isVersion0 ? !Multibase.TryDecode(MultibaseEncoding.Base58Btc, text, out bytes) : !Multibase.TryDecode(text, out bytes))
        {
            error = DescribeUndecodable(text);
            return false;
        }

        if (!isVersion0 && bytes.Length > 0 && bytes[0] == Multihash.Sha2_256)
        {
            error = "this is no content id: a version 0 id has no encoding prefix";
            return false;
        }

        if (!Cid.TryFromBytes(bytes, out cid, out int consumed) || consumed != bytes.Length)
        {
            cid = default;
            error = DescribeMalformed(text, bytes);
            return false;
        }

        return true;
    }

    private static string DescribeUndecodable(ReadOnlySpan<char> text)
    {
        if (text.StartsWith("Qm", StringComparison.Ordinal))
        {
            return text.Length == Version0Chars
                ? "this is no content id: one of its characters does not belong to base58"
                : $"this is no content id: one that starts with Qm has {Version0Chars} characters, this one has {text.Length}";
        }

        // links are copied by hand and by mail: name the first wrong character and the length
        if (text[0] == 'b')
        {
            int wrong = text.IndexOfAnyExcept(Base32Alphabet);
            if (wrong >= 0)
            {
                return $"this is no content id: character {wrong + 1} of {text.Length} is not one of a-z and 2-7";
            }

            return DescribeLength(text);
        }

        return "this is no content id: it starts neither with b (base32), Qm nor another known encoding";
    }

    private static string DescribeMalformed(ReadOnlySpan<char> text, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0 && bytes[0] > 1)
        {
            return "this is no content id: its version is unknown";
        }

        return DescribeLength(text);
    }

    private static string DescribeLength(ReadOnlySpan<char> text) => text[0] == 'b' && text.Length != UsualChars
        ? $"this is no content id: it has {text.Length} characters where {UsualChars} are usual; {(text.Length < UsualChars ? "was it cut short?" : "is something appended?")}"
        : "this is no content id: its parts contradict each other; is a character wrong?";
}
