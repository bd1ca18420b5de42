using System.Buffers;
using SimpleBase;

namespace P2P.Core.Identity;

/// <summary>Decodes the multibases in which a peer id's CID may be written. Only canonical texts count, so an id has one text per base.</summary>
internal static class PeerIdText
{
    internal static bool TryDecodeMultibase(ReadOnlySpan<char> text, Span<byte> destination, out int bytesWritten)
    {
        bytesWritten = 0;
        if (text.Length < 2)
            return false;
        ReadOnlySpan<char> digits = text[1..];
        return text[0] switch
        {
            'k' or 'K' => Base36.LowerCase.TryDecode(Lower(digits, stackalloc char[digits.Length]), destination, out bytesWritten),
            'b' or 'B' => TryDecodeBase32(Lower(digits, stackalloc char[digits.Length]), destination, out bytesWritten),
            'z' => Base58.Bitcoin.TryDecode(digits, destination, out bytesWritten),
            'f' or 'F' => Convert.FromHexString(digits, destination, out _, out bytesWritten) == OperationStatus.Done,
            _ => false,
        };
    }

    private static bool TryDecodeBase32(ReadOnlySpan<char> digits, Span<byte> destination, out int bytesWritten) =>
        Base32.Rfc4648.TryDecode(digits, destination, out bytesWritten)
        && digits.Equals(Base32.Rfc4648.Encode(destination[..bytesWritten], padding: false), StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> Lower(ReadOnlySpan<char> text, Span<char> buffer)
    {
        _ = text.ToLowerInvariant(buffer);
        return buffer;
    }
}
