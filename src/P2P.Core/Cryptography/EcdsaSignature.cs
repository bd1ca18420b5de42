namespace P2P.Core.Cryptography;

/// <summary>
/// Reads ECDSA signatures in DER, SEQUENCE { INTEGER r, INTEGER s }, for 256-bit curves. Strict (minimal lengths, minimal positive integers,
/// nothing behind), because platforms differ in how much BER they tolerate.
/// </summary>
internal static class EcdsaSignature
{
    /// <summary>r and s of a 256-bit curve, big endian, one after the other (IEEE P1363).</summary>
    internal const int FixedBytes = 64;

    /// <summary>SEQUENCE header and two INTEGERs of 33 bytes with their headers.</summary>
    internal const int MaxDerBytes = 2 + (2 * 35);

    private const int ScalarBytes = 32;
    private const byte SequenceTag = 0x30;
    private const byte IntegerTag = 0x02;

    internal static bool TryReadDer(ReadOnlySpan<byte> der, Span<byte> fixedForm)
    {
        // All lengths here are below 128, so DER allows only the one-byte form.
        if (der.Length is < 8 or > MaxDerBytes || der[0] != SequenceTag || der[1] != der.Length - 2)
            return false;
        ReadOnlySpan<byte> rest = der[2..];
        return TryReadInteger(ref rest, fixedForm[..ScalarBytes])
            && TryReadInteger(ref rest, fixedForm.Slice(ScalarBytes, ScalarBytes))
            && rest.IsEmpty;
    }

    private static bool TryReadInteger(ref ReadOnlySpan<byte> rest, Span<byte> destination)
    {
        if (rest.Length < 3 || rest[0] != IntegerTag || rest[1] is 0 or > ScalarBytes + 1 || rest[1] > rest.Length - 2)
            return false;
        ReadOnlySpan<byte> value = rest.Slice(2, rest[1]);
        rest = rest[(2 + value.Length)..];
        if (value[0] >= 0x80 || (value[0] == 0 && (value.Length == 1 || value[1] < 0x80)))
            return false;
        if (value[0] == 0)
            value = value[1..];
        if (value.Length > ScalarBytes)
            return false;

        destination.Clear();
        value.CopyTo(destination[(ScalarBytes - value.Length)..]);
        return true;
    }
}
