using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace P2P.Core.Nat;

/// <summary>The messages of the Port Control Protocol (RFC 6887, 7 and 11): big endian, addresses always of 16 bytes.</summary>
internal static class PcpMessage
{
    public const byte Version = 2, AnnounceOpcode = 0, MapOpcode = 1;

    /// <summary>The nonce of a mapping (bytes): only who knows it may change it.</summary>
    public const int NonceBytes = 12;

    /// <summary>The longest message (bytes).</summary>
    public const int MaxBytes = 1100;

    private const byte Response = 0x80, Tcp = 6;
    private const int HeadBytes = 24, MapBytes = 36;

    /// <summary>Asks nothing but whether PCP is spoken, and since when.</summary>
    public static byte[] AnnounceRequest(IPAddress own) => Head(AnnounceOpcode, own, TimeSpan.Zero, HeadBytes);

    /// <summary>Asks for a TCP port; with a lifetime of zero it is given back.</summary>
    public static byte[] MapRequest(IPAddress own, ReadOnlySpan<byte> nonce, int internalPort, int wanted, TimeSpan lifetime)
    {
        byte[] packet = Head(MapOpcode, own, lifetime, HeadBytes + MapBytes);
        Span<byte> map = packet.AsSpan(HeadBytes);
        nonce.CopyTo(map);
        map[12] = Tcp;
        BinaryPrimitives.WriteUInt16BigEndian(map[16..], (ushort)internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(map[18..], (ushort)wanted);
        IPAddress.Any.MapToIPv6().TryWriteBytes(map[20..], out _); // whichever IPv4 address it has
        return packet;
    }

    /// <summary>Reads an answer of any kind; false: it is none, or too short for what it says.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out PcpResponse response)
    {
        response = default;
        if (packet.Length is < HeadBytes or > MaxBytes || packet.Length % 4 != 0 || packet[0] != Version || packet[1] < Response)
            return false;
        response = new PcpResponse
        {
            Opcode = (byte)(packet[1] - Response),
            Result = packet[3],
            Lifetime = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]),
            Epoch = BinaryPrimitives.ReadUInt32BigEndian(packet[8..]),
        };
        if (response.Opcode != MapOpcode)
            return true;
        if (packet.Length < HeadBytes + MapBytes)
            return response.Result != 0;
        ReadOnlySpan<byte> map = packet[HeadBytes..];
        var external = new IPAddress(map.Slice(20, 16));
        response = response with
        {
            Nonce = map[..NonceBytes].ToArray(),
            IsTcp = map[12] == Tcp,
            InternalPort = BinaryPrimitives.ReadUInt16BigEndian(map[16..]),
            External = new IPEndPoint(external.IsIPv4MappedToIPv6 ? external.MapToIPv4() : external, BinaryPrimitives.ReadUInt16BigEndian(map[18..])),
        };
        return true;
    }

    /// <summary>A result code in words.</summary>
    public static string Describe(int result) => result switch
    {
        1 => "it does not know this version",
        2 => "refused: port mapping is not allowed for this machine",
        3 => "it found our request malformed",
        4 => "it does not know this request",
        7 => "it has a problem with its network",
        8 => "it has no port left for this machine",
        10 => "it has no port left for this machine",
        11 => "it cannot give the port that was asked for",
        12 => "it sees this machine under another address: there is another router in between",
        _ => $"it answers with the error {result}",
    };

    private static byte[] Head(byte opcode, IPAddress own, TimeSpan lifetime, int bytes)
    {
        byte[] packet = new byte[bytes];
        packet[0] = Version;
        packet[1] = opcode;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)lifetime.TotalSeconds);
        (own.AddressFamily == AddressFamily.InterNetworkV6 ? own : own.MapToIPv6()).TryWriteBytes(packet.AsSpan(8), out _);
        return packet;
    }
}

/// <summary>An answer by PCP.</summary>
internal readonly record struct PcpResponse
{
    public byte Opcode { get; init; }

    /// <summary>Zero: done.</summary>
    public int Result { get; init; }

    /// <summary>Granted, or how long the error lasts (seconds).</summary>
    public uint Lifetime { get; init; }

    /// <summary>Seconds since the router began to keep mappings.</summary>
    public uint Epoch { get; init; }

    public byte[]? Nonce { get; init; }

    public bool IsTcp { get; init; }

    public int InternalPort { get; init; }

    public IPEndPoint? External { get; init; }
}
