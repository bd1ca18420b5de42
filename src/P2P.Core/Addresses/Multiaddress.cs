using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using P2P.Core.Addresses;
using P2P.Core.Primitives;

namespace P2P.Core;

/// <summary>An address that says every step to a peer, such as <c>/ip4/192.0.2.7/tcp/24817/p2p/12D3KooW...</c>. Compared by its bytes, never by its text.</summary>
public sealed class Multiaddress : IEquatable<Multiaddress>, ISpanParsable<Multiaddress>, ISpanFormattable
{
    /// <summary>The longest binary form that is read (bytes). Addresses that are dialed need less than 120; hidden services of I2P need 400.</summary>
    internal const int MaxBytes = 1024;

    /// <summary>The most steps that are read (count).</summary>
    internal const int MaxComponents = 32;

    /// <summary>The longest text that is read (characters).</summary>
    internal const int MaxChars = 4096;

    private readonly byte[] _bytes;
    private readonly MultiaddressComponent[] _components;

    private Multiaddress(byte[] bytes, MultiaddressComponent[] components) => (_bytes, _components) = (bytes, components);

    /// <summary>The steps, from the outermost to the innermost.</summary>
    internal IReadOnlyList<MultiaddressComponent> Components => _components;

    /// <summary>The peer at the end of the address, if it names one.</summary>
    internal PeerId? PeerId => _components[^1] is { Code: MultiaddressProtocol.P2PCode } last && Core.PeerId.TryFromBytes(last.Value.Span, out PeerId id) ? id : null;

    /// <summary>Where the first IP address of it is valid.</summary>
    internal AddressScope Scope => TryGetIPAddress(out IPAddress? address) ? AddressScopes.Of(address) : AddressScope.Other;

    /// <summary>Whether it leads through a relay.</summary>
    internal bool IsRelayed => Array.Exists(_components, component => component.Code == MultiaddressProtocol.CircuitCode);

    /// <summary>Compares the bytes.</summary>
    public static bool operator ==(Multiaddress? left, Multiaddress? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Compares the bytes.</summary>
    public static bool operator !=(Multiaddress? left, Multiaddress? right) => !(left == right);

    /// <summary>Reads a text.</summary>
    /// <exception cref="FormatException">The text is not a multiaddress; the message says which part is wrong.</exception>
    public static Multiaddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text.AsSpan(), null);
    }

    /// <inheritdoc />
    public static Multiaddress Parse(string s, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc />
    public static Multiaddress Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, out Multiaddress? address, out string? error) ? address : throw new FormatException(error);

    /// <summary>Reads a text; false when it is not a multiaddress.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [MaybeNullWhen(false)] out Multiaddress result) => TryParse(text.AsSpan(), out result, out _);

    /// <inheritdoc />
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out Multiaddress result) =>
        TryParse(s.AsSpan(), out result, out _);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, [MaybeNullWhen(false)] out Multiaddress result) =>
        TryParse(s, out result, out _);

    /// <summary>Reads the binary form; false when it is malformed or has a protocol that is not known here.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Multiaddress? address)
    {
        address = null;
        return bytes.Length is > 0 and <= MaxBytes && TryCreate(bytes.ToArray(), out address);
    }

    /// <summary>A copy of the binary form.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <inheritdoc />
    public bool Equals([NotNullWhen(true)] Multiaddress? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc />
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as Multiaddress);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <summary>The text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(64);
        foreach (MultiaddressComponent component in _components)
        {
            text.Append(component.ToString());
        }

        return text.ToString();
    }

    /// <inheritdoc />
    string IFormattable.ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <inheritdoc />
    bool ISpanFormattable.TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        string text = ToString();
        bool fits = text.TryCopyTo(destination);
        charsWritten = fits ? text.Length : 0;
        return fits;
    }

    /// <summary>The TCP address of an end point. IPv4 in IPv6 becomes IPv4; a link-local address keeps its zone.</summary>
    internal static Multiaddress FromEndPoint(IPEndPoint tcp)
    {
        IPAddress address = tcp.Address.IsIPv4MappedToIPv6 ? tcp.Address.MapToIPv4() : tcp.Address;
        var writer = new ArrayBufferWriter<byte>(32);
        AppendAddress(writer, address);
        Append(writer, MultiaddressProtocol.TcpCode, [(byte)(tcp.Port >> 8), (byte)tcp.Port]);
        return FromValid(writer.WrittenSpan);
    }

    /// <summary>The binary form.</summary>
    internal ReadOnlySpan<byte> AsSpan() => _bytes;

    /// <summary>The address without the peer at its end; itself when it names none or nothing else.</summary>
    internal Multiaddress WithoutPeerId()
    {
        if (_components.Length < 2 || _components[^1].Code != MultiaddressProtocol.P2PCode)
        {
            return this;
        }

        return FromValid(_bytes.AsSpan(0, _bytes.Length - EncodedBytes(_components[^1])));
    }

    /// <summary>The address of this peer there, in place of one that it may name already.</summary>
    internal Multiaddress WithPeerId(PeerId peer)
    {
        var writer = new ArrayBufferWriter<byte>(_bytes.Length + 48);
        writer.Write(WithoutPeerId()._bytes);
        Append(writer, MultiaddressProtocol.P2PCode, peer.AsSpan());
        return FromValid(writer.WrittenSpan);
    }

    /// <summary>The address with its first step, a name, replaced by what the name stands for.</summary>
    internal Multiaddress WithAddress(IPAddress address)
    {
        var writer = new ArrayBufferWriter<byte>(_bytes.Length + 32);
        AppendAddress(writer, address);
        writer.Write(_bytes.AsSpan(EncodedBytes(_components[0])));
        return FromValid(writer.WrittenSpan);
    }

    /// <summary>The end point of <c>/ip4|ip6/.../tcp/...</c>, with a zone before and a peer behind it if they are there, and nothing else.</summary>
    internal bool TryGetEndPoint([NotNullWhen(true)] out IPEndPoint? endPoint)
    {
        endPoint = null;
        int next = _components[0].Code == MultiaddressProtocol.Ip6ZoneCode ? 2 : 1;
        if (!TryGetIPAddress(out IPAddress? address) || !TryGetTcpPort(next, out int port))
        {
            return false;
        }

        endPoint = new IPEndPoint(address, port);
        return true;
    }

    /// <summary>The name to resolve of <c>/dns|dns4|dns6/.../tcp/...</c> or <c>/dnsaddr/...</c>, with a peer behind it if it is there, and nothing else.</summary>
    /// <param name="host">The name.</param>
    /// <param name="port">The TCP port; 0 for <see cref="DnsKind.Dnsaddr"/>, which names whole addresses.</param>
    /// <param name="kind">What to ask for.</param>
    internal bool TryGetDnsHost([NotNullWhen(true)] out string? host, out int port, out DnsKind kind)
    {
        (host, port) = (null, 0);
        kind = _components[0].Code switch
        {
            MultiaddressProtocol.DnsCode => DnsKind.Dns,
            MultiaddressProtocol.Dns4Code => DnsKind.Dns4,
            MultiaddressProtocol.Dns6Code => DnsKind.Dns6,
            MultiaddressProtocol.DnsaddrCode => DnsKind.Dnsaddr,
            _ => DnsKind.None,
        };
        bool fits = kind switch
        {
            DnsKind.None => false,
            DnsKind.Dnsaddr => EndsAt(1),
            _ => TryGetTcpPort(1, out port),
        };
        host = fits ? _components[0].ValueText : null;
        return fits;
    }

    /// <summary>The IP address that it starts with, with its zone.</summary>
    internal bool TryGetIPAddress([NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        MultiaddressComponent first = _components[0];
        switch (first.Code)
        {
            case MultiaddressProtocol.Ip4Code or MultiaddressProtocol.Ip6Code:
                address = new IPAddress(first.Value.Span);
                return true;
            case MultiaddressProtocol.Ip6ZoneCode when _components.Length > 1 && _components[1].Code == MultiaddressProtocol.Ip6Code:
                // the platform's parser knows the names of its interfaces
                return IPAddress.TryParse($"{_components[1].ValueText}%{first.ValueText}", out address);
            default:
                return false;
        }
    }

    private static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Multiaddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        error = Read(text, out ArrayBufferWriter<byte> writer);
        if (error is null && !TryFromBytes(writer.WrittenSpan, out address))
        {
            error = $"an address may have at most {MaxComponents} parts and {MaxBytes} bytes";
        }

        return error is null;
    }

    // returns what is wrong with the text, or null
    private static string? Read(ReadOnlySpan<char> text, out ArrayBufferWriter<byte> writer)
    {
        writer = new ArrayBufferWriter<byte>(64);
        if (text.Length > MaxChars)
        {
            return "the address is too long";
        }

        text = text.TrimEnd('/');
        if (text.IsEmpty || text[0] != '/')
        {
            return "an address starts with / and a protocol, for example /ip4/192.0.2.7/tcp/4001";
        }

        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<char> name = Take(ref rest);
            if (MultiaddressProtocol.Find(name) is not { } protocol)
            {
                return $"the address has an unknown part \"{Shorten(name)}\"";
            }

            if (protocol.Bytes == 0)
            {
                Append(writer, protocol.Code, []);
                continue;
            }

            if (rest.IsEmpty)
            {
                return $"the address ends after /{protocol.Name}, which needs a value";
            }

            ReadOnlySpan<char> value = protocol.IsPath ? rest : Take(ref rest);
            rest = protocol.IsPath ? default : rest;
            if (MultiaddressValue.FromText(protocol, value) is not { } bytes)
            {
                return $"the address has a wrong value \"{Shorten(value)}\" for /{protocol.Name}";
            }

            Append(writer, protocol.Code, bytes);
        }

        return null;
    }

    // the text up to the next slash, without the slash before it
    private static ReadOnlySpan<char> Take(ref ReadOnlySpan<char> rest)
    {
        ReadOnlySpan<char> afterSlash = rest[1..];
        int end = afterSlash.IndexOf('/');
        ReadOnlySpan<char> part = end < 0 ? afterSlash : afterSlash[..end];
        rest = end < 0 ? default : afterSlash[end..];
        return part;
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 40 ? text.ToString() : $"{text[..40]}...";

    private static bool TryCreate(byte[] bytes, [NotNullWhen(true)] out Multiaddress? address)
    {
        address = null;
        var components = new List<MultiaddressComponent>(4);
        ReadOnlyMemory<byte> rest = bytes;
        while (!rest.IsEmpty)
        {
            if (components.Count == MaxComponents || (components.Count > 0 && components[^1].Protocol.IsPath) || !TryTake(ref rest, out MultiaddressComponent component))
            {
                return false;
            }

            components.Add(component);
        }

        address = new Multiaddress(bytes, [.. components]);
        return true;
    }

    private static bool TryTake(ref ReadOnlyMemory<byte> rest, out MultiaddressComponent component)
    {
        component = default;
        if (UVarint.TryRead(rest.Span, out ulong code, out int consumed) != OperationStatus.Done || MultiaddressProtocol.Find(code) is not { } protocol)
        {
            return false;
        }

        rest = rest[consumed..];
        ulong length = (ulong)protocol.Bytes;
        if (protocol.Bytes == MultiaddressProtocol.Variable)
        {
            if (UVarint.TryRead(rest.Span, out length, out consumed) != OperationStatus.Done)
            {
                return false;
            }

            rest = rest[consumed..];
        }

        if (length > (ulong)rest.Length)
        {
            return false;
        }

        component = new MultiaddressComponent(protocol, rest[..(int)length]);
        rest = rest[(int)length..];
        return MultiaddressValue.IsValid(protocol, component.Value.Span);
    }

    private static Multiaddress FromValid(ReadOnlySpan<byte> bytes) => TryFromBytes(bytes, out Multiaddress? address)
        ? address
        : throw new ArgumentException("The parts do not make an address.");

    private static void AppendAddress(ArrayBufferWriter<byte> writer, IPAddress address)
    {
        bool is4 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        if (!is4 && address.ScopeId != 0 && AddressScopes.Of(address) == AddressScope.LinkLocal)
        {
            Append(writer, MultiaddressProtocol.Ip6ZoneCode, Encoding.ASCII.GetBytes(address.ScopeId.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        Append(writer, is4 ? MultiaddressProtocol.Ip4Code : MultiaddressProtocol.Ip6Code, address.GetAddressBytes());
    }

    private static void Append(ArrayBufferWriter<byte> writer, int code, ReadOnlySpan<byte> value)
    {
        Span<byte> header = writer.GetSpan(2 * UVarint.MaxBytes);
        int length = UVarint.Write(header, (ulong)code);
        if (MultiaddressProtocol.Find((ulong)code) is { Bytes: MultiaddressProtocol.Variable })
        {
            length += UVarint.Write(header[length..], (ulong)value.Length);
        }

        writer.Advance(length);
        writer.Write(value);
    }

    private static int EncodedBytes(MultiaddressComponent component)
    {
        int prefix = component.Protocol.Bytes == MultiaddressProtocol.Variable ? UVarint.SizeOf((ulong)component.Value.Length) : 0;
        return UVarint.SizeOf((ulong)component.Code) + prefix + component.Value.Length;
    }

    private bool TryGetTcpPort(int index, out int port)
    {
        port = 0;
        if (_components.Length <= index || _components[index].Code != MultiaddressProtocol.TcpCode || !EndsAt(index + 1))
        {
            return false;
        }

        ReadOnlySpan<byte> value = _components[index].Value.Span;
        port = (value[0] << 8) | value[1];
        return true;
    }

    private bool EndsAt(int index) =>
        _components.Length == index || (_components.Length == index + 1 && _components[index].Code == MultiaddressProtocol.P2PCode);
}
