using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using P2P.Core.Primitives;
using Base32 = SimpleBase.Base32;

namespace P2P.Core.Addresses;

/// <summary>Turns the values of multiaddress components from text to bytes and back, and checks those that came as bytes.</summary>
internal static class MultiaddressValue
{
    // hidden services: the address and a port
    private const int OnionHostBytes = 10;
    private const int Onion3HostBytes = 35;
    private const int Garlic64MinBytes = 386;
    private const int Garlic32HashBytes = 32;
    private const int Garlic32EncryptedMinBytes = 35;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a value from text; null when it is malformed.</summary>
    public static byte[]? FromText(MultiaddressProtocol protocol, ReadOnlySpan<char> text)
    {
        byte[]? value = protocol.Code switch
        {
            MultiaddressProtocol.Ip4Code => IpText.TryParse4(text, out IPAddress? ip4) ? ip4.GetAddressBytes() : null,
            MultiaddressProtocol.Ip6Code => IpText.TryParse6(text, out IPAddress? ip6) ? ip6.GetAddressBytes() : null,
            MultiaddressProtocol.IpCidrCode => TryParseDecimal(text, byte.MaxValue, out ulong prefix) ? [(byte)prefix] : null,
            MultiaddressProtocol.P2PCode => PeerId.TryParse(text, null, out PeerId id) ? id.ToArray() : null,
            MultiaddressProtocol.OnionCode => FromOnion(text, OnionHostBytes),
            MultiaddressProtocol.Onion3Code => FromOnion(text, Onion3HostBytes),
            MultiaddressProtocol.Garlic64Code => FromGarlic64(text),
            MultiaddressProtocol.Garlic32Code => FromBase32(text),
            MultiaddressProtocol.CerthashCode => Multibase.TryDecode(text, out byte[] hash) ? hash : null,
            MultiaddressProtocol.HttpPathCode => FromHttpPath(text),
            MultiaddressProtocol.MemoryCode => TryParseDecimal(text, ulong.MaxValue, out ulong number) ? BigEndian(number) : null,
            _ when protocol.Bytes == sizeof(ushort) => TryParseDecimal(text, ushort.MaxValue, out ulong port) ? BigEndian((ushort)port) : null,
            _ => FromName(text),
        };
        return value is not null && IsValid(protocol, value) ? value : null;
    }

    /// <summary>Whether bytes of the right length are a value of this protocol.</summary>
    public static bool IsValid(MultiaddressProtocol protocol, ReadOnlySpan<byte> value)
    {
        switch (protocol.Code)
        {
            case MultiaddressProtocol.P2PCode:
                return PeerId.TryFromBytes(value, out _);
            case MultiaddressProtocol.CerthashCode:
                return Multihash.TryParse(value, out _, out _, out int consumed) && consumed == value.Length;
            case MultiaddressProtocol.OnionCode or MultiaddressProtocol.Onion3Code:
                return BinaryPrimitives.ReadUInt16BigEndian(value[^sizeof(ushort)..]) != 0;
            case MultiaddressProtocol.Garlic64Code:
                return value.Length >= Garlic64MinBytes;
            case MultiaddressProtocol.Garlic32Code:
                return value.Length is Garlic32HashBytes or >= Garlic32EncryptedMinBytes;
            case MultiaddressProtocol.HttpPathCode:
                return value.Length > 0;
            case MultiaddressProtocol.UnixCode:
                return value.Length > 1 && value[0] == '/' && value[^1] != '/' && IsCleanText(value);
            default:
                // names: a slash would split into another component in the text form
                return protocol.Bytes != MultiaddressProtocol.Variable || (value.Length > 0 && !value.Contains((byte)'/') && IsCleanText(value));
        }
    }

    /// <summary>Writes a valid value as text.</summary>
    public static string ToText(MultiaddressProtocol protocol, ReadOnlySpan<byte> value)
    {
        return protocol.Code switch
        {
            MultiaddressProtocol.Ip4Code => $"{value[0]}.{value[1]}.{value[2]}.{value[3]}",
            MultiaddressProtocol.Ip6Code => IpText.Format6(value),
            MultiaddressProtocol.IpCidrCode => value[0].ToString(CultureInfo.InvariantCulture),
            MultiaddressProtocol.P2PCode => PeerId.TryFromBytes(value, out PeerId id) ? id.ToString(null, null) : "",
            MultiaddressProtocol.OnionCode or MultiaddressProtocol.Onion3Code =>
                $"{Base32.FileCoin.Encode(value[..^sizeof(ushort)])}:{BinaryPrimitives.ReadUInt16BigEndian(value[^sizeof(ushort)..])}",
            MultiaddressProtocol.Garlic64Code => Convert.ToBase64String(value).Replace('+', '-').Replace('/', '~'),
            MultiaddressProtocol.Garlic32Code => Base32.FileCoin.Encode(value),
            MultiaddressProtocol.CerthashCode => Multibase.Encode(MultibaseEncoding.Base64Url, value),
            MultiaddressProtocol.HttpPathCode => PercentEncoding.Encode(value),
            MultiaddressProtocol.MemoryCode => BinaryPrimitives.ReadUInt64BigEndian(value).ToString(CultureInfo.InvariantCulture),
            _ when protocol.Bytes == 0 => "",
            _ when protocol.Bytes == sizeof(ushort) => BinaryPrimitives.ReadUInt16BigEndian(value).ToString(CultureInfo.InvariantCulture),
            _ => Encoding.UTF8.GetString(value),
        };
    }

    private static byte[]? FromName(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        return StrictUtf8Bytes(text, bytes, out int length) ? bytes[..length] : null;
    }

    private static bool StrictUtf8Bytes(ReadOnlySpan<char> text, Span<byte> destination, out int length) =>
        System.Text.Unicode.Utf8.FromUtf16(text, destination, out _, out length, replaceInvalidSequences: false) == OperationStatus.Done;

    private static byte[]? FromHttpPath(ReadOnlySpan<char> text) => PercentEncoding.TryDecode(text, out byte[] bytes) ? bytes : null;

    private static byte[]? FromOnion(ReadOnlySpan<char> text, int hostBytes)
    {
        int colon = text.IndexOf(':');
        if (colon < 0 || colon != hostBytes * 8 / 5 || !TryParseDecimal(text[(colon + 1)..], ushort.MaxValue, out ulong port))
        {
            return null;
        }

        return Multibase.TryDecode(MultibaseEncoding.Base32, text[..colon], out byte[] host) ? [.. host, .. BigEndian((ushort)port)] : null;
    }

    private static byte[]? FromGarlic64(ReadOnlySpan<char> text)
    {
        // the alphabet of I2P; its characters must not slip through as those that replace them
        if (text.ContainsAny('+', '/'))
        {
            return null;
        }

        return Multibase.TryDecode(MultibaseEncoding.Base64Pad, text.ToString().Replace('-', '+').Replace('~', '/'), out byte[] bytes) ? bytes : null;
    }

    private static byte[]? FromBase32(ReadOnlySpan<char> text)
    {
        // unlike everywhere else, the unused bits of the last character are not checked: addresses in use have them set
        if (text.IsEmpty || text.Contains('=') || text.ContainsAnyExceptInRange('!', '~'))
        {
            return null;
        }

        byte[] bytes = new byte[text.Length];
        return Base32.Rfc4648.TryDecode(text, bytes, out int length) ? bytes[..length] : null;
    }

    private static bool TryParseDecimal(ReadOnlySpan<char> text, ulong max, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= max;

    private static byte[] BigEndian(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] BigEndian(ulong value)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }

    // addresses come from peers and end up in logs and links
    private static bool IsCleanText(ReadOnlySpan<byte> value)
    {
        try
        {
            string text = StrictUtf8.GetString(value);
            return !text.Any(char.IsControl);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
