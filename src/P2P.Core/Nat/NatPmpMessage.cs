using System.Buffers.Binary;
using System.Net;

namespace P2P.Core.Nat;

/// <summary>The messages of the NAT Port Mapping Protocol (RFC 6886, 3): big endian, fixed sizes.</summary>
internal static class NatPmpMessage
{
    public const byte Version = 0, AddressOpcode = 0, MapTcpOpcode = 2;

    /// <summary>Set in the opcode of an answer.</summary>
    private const byte Response = 0x80;

    private const int AddressResponseBytes = 12, MapResponseBytes = 16, HeadBytes = 8;

    /// <summary>Asks for the router's address on its other side.</summary>
    public static byte[] AddressRequest() => [Version, AddressOpcode];

    /// <summary>Asks for a TCP port; with a lifetime of zero it is given back.</summary>
    public static byte[] MapRequest(int internalPort, int wanted, TimeSpan lifetime)
    {
        byte[] packet = new byte[12];
        packet[1] = MapTcpOpcode;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)wanted);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), (uint)lifetime.TotalSeconds);
        return packet;
    }

    /// <summary>Reads an answer of any kind; false: it is none, or too short for what it says.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out NatPmpResponse response)
    {
        response = default;
        if (packet.Length < HeadBytes || packet[0] != Version || packet[1] < Response)
            return false;
        response = new NatPmpResponse
        {
            Opcode = (byte)(packet[1] - Response),
            Result = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]),
            Epoch = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]),
        };
        if (response.Result != 0)
            return true; // what follows means nothing
        if (response.Opcode == AddressOpcode && packet.Length >= AddressResponseBytes)
        {
            response = response with { Address = new IPAddress(packet.Slice(8, 4)) };
            return true;
        }

        if (response.Opcode != MapTcpOpcode || packet.Length < MapResponseBytes)
            return false;
        response = response with
        {
            InternalPort = BinaryPrimitives.ReadUInt16BigEndian(packet[8..]),
            ExternalPort = BinaryPrimitives.ReadUInt16BigEndian(packet[10..]),
            Lifetime = BinaryPrimitives.ReadUInt32BigEndian(packet[12..]),
        };
        return true;
    }

    /// <summary>A result code in words.</summary>
    public static string Describe(int result) => result switch
    {
        1 => "it does not know this version",
        2 => "refused: port mapping is switched off in it, or not allowed for this machine",
        3 => "it has no address on its other side yet",
        4 => "it has no port left",
        5 => "it does not know this request",
        _ => $"it answers with the error {result}",
    };
}

/// <summary>An answer by NAT-PMP.</summary>
internal readonly record struct NatPmpResponse
{
    public byte Opcode { get; init; }

    /// <summary>Zero: done.</summary>
    public int Result { get; init; }

    /// <summary>Seconds since the router began to keep mappings.</summary>
    public uint Epoch { get; init; }

    public IPAddress? Address { get; init; }

    public int InternalPort { get; init; }

    public int ExternalPort { get; init; }

    /// <summary>Granted (seconds).</summary>
    public uint Lifetime { get; init; }
}
