using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace P2P.Core.Discovery;

/// <summary>What a peer broadcasts on its networks: who it is and on which TCP ports it listens. Where, its packet says: the address that it came from.</summary>
/// <param name="Peer">Who sends it; empty: one who only asks.</param>
/// <param name="Ports">The ports; none: it is not to be found, or says good-bye.</param>
internal sealed record Beacon(PeerId Peer, IReadOnlyList<ushort> Ports)
{
    /// <summary>The UDP port of beacons (REGISTRY.md).</summary>
    public const int Port = 26_790;

    /// <summary>The longest packet that is read (bytes): what may stand behind the ports in times to come included.</summary>
    public const int MaxBytes = 512;

    /// <summary>Ports of one peer (count).</summary>
    public const int MaxPorts = 8;

    private const byte Version = 1;
    private const byte AsksFlag = 1, GoodbyeFlag = 2;
    private const int HeaderBytes = 7; // magic, version, flags, length of the id

    /// <summary>Whether others are asked to send theirs.</summary>
    public bool Asks { get; init; }

    /// <summary>Whether the peer goes.</summary>
    public bool IsGoodbye { get; init; }

    private static ReadOnlySpan<byte> Magic => "p2pb"u8;

    /// <summary>Reads a packet; false: it is something else, or malformed. What stands behind the ports and flags that are not known are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Beacon? beacon)
    {
        beacon = null;
        if (bytes.Length is < HeaderBytes + 1 or > MaxBytes || !bytes.StartsWith(Magic) || bytes[4] != Version)
            return false;
        int idLength = bytes[6], at = HeaderBytes + idLength;
        if (bytes.Length <= at)
            return false;
        PeerId peer = default;
        if (idLength > 0 && !PeerId.TryFromBytes(bytes[HeaderBytes..at], out peer))
            return false;
        int count = bytes[at++];
        if (count > MaxPorts || (count > 0 && peer.IsEmpty) || bytes.Length < at + (2 * count))
            return false;
        var ports = new List<ushort>(count);
        for (int i = 0; i < count; i++)
        {
            ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + (2 * i))..]);
            if (port == 0)
                return false;
            if (!ports.Contains(port))
                ports.Add(port);
        }

        beacon = new Beacon(peer, ports) { Asks = (bytes[5] & AsksFlag) != 0, IsGoodbye = (bytes[5] & GoodbyeFlag) != 0 };
        return true;
    }

    /// <summary>The packet.</summary>
    public byte[] Write()
    {
        int ports = Math.Min(Ports.Count, MaxPorts);
        byte[] id = Peer.IsEmpty ? [] : Peer.ToArray();
        byte[] packet = new byte[HeaderBytes + id.Length + 1 + (2 * ports)];
        Magic.CopyTo(packet);
        packet[4] = Version;
        packet[5] = (byte)((Asks ? AsksFlag : 0) | (IsGoodbye ? GoodbyeFlag : 0));
        packet[6] = (byte)id.Length;
        id.CopyTo(packet, HeaderBytes);
        int at = HeaderBytes + id.Length;
        packet[at++] = (byte)ports;
        for (int i = 0; i < ports; i++)
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(at + (2 * i)), Ports[i]);
        return packet;
    }
}
