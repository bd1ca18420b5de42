using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace P2P.Core.Addresses;

/// <summary>IP addresses as multiaddresses write them: the one dotted form of IPv4, and IPv6 as RFC 5952 says, whatever the platform's own parser would accept or print.</summary>
internal static class IpText
{
    /// <summary>Reads four decimal numbers without leading zeros; not the octal, hexadecimal or short forms that sockets take.</summary>
    public static bool TryParse4(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        Span<byte> bytes = stackalloc byte[4];
        int count = 0;
        foreach (Range range in text.Split('.'))
        {
            ReadOnlySpan<char> part = text[range];
            if (count == bytes.Length || (part.Length > 1 && part[0] == '0') || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out bytes[count]))
            {
                return false;
            }

            count++;
        }

        address = count == bytes.Length ? new IPAddress(bytes) : null;
        return address is not null;
    }

    /// <summary>Reads an IPv6 address without brackets, zone or port.</summary>
    public static bool TryParse6(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        foreach (char current in text)
        {
            if (!char.IsAsciiHexDigit(current) && current is not (':' or '.'))
            {
                return false;
            }
        }

        return text.Contains(':') && IPAddress.TryParse(text, out address) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    /// <summary>Writes an IPv6 address: the longest run of zeros shortened, IPv4-mapped ones with dots.</summary>
    public static string Format6(ReadOnlySpan<byte> value)
    {
        Span<ushort> groups = stackalloc ushort[8];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = BinaryPrimitives.ReadUInt16BigEndian(value[(2 * i)..]);
        }

        if (groups[5] == 0xFFFF && !groups[..5].ContainsAnyExcept((ushort)0))
        {
            return $"::ffff:{value[12]}.{value[13]}.{value[14]}.{value[15]}";
        }

        (int start, int length) = LongestZeros(groups);
        var text = new StringBuilder(39);
        for (int i = 0; i < groups.Length; i++)
        {
            if (i == start)
            {
                text.Append("::");
                i += length - 1;
                continue;
            }

            if (i > 0 && i != start + length)
            {
                text.Append(':');
            }

            text.Append(CultureInfo.InvariantCulture, $"{groups[i]:x}");
        }

        return text.ToString();
    }

    // at least two groups, the first of equals
    private static (int Start, int Length) LongestZeros(ReadOnlySpan<ushort> groups)
    {
        (int Start, int Length) best = (-1, 1);
        for (int i = 0; i < groups.Length; i++)
        {
            int run = groups[i..].IndexOfAnyExcept((ushort)0);
            run = run < 0 ? groups.Length - i : run;
            if (run > best.Length)
            {
                best = (i, run);
            }

            i += run;
        }

        return best.Start < 0 ? (-2, 0) : best;
    }
}
