using System.Net;
using System.Text;

namespace P2P.Core.Nat;

/// <summary>The search for a router by SSDP (UPnP device architecture 2.0, 1.3): HTTP over UDP.</summary>
internal static class SsdpMessage
{
    public const int Port = 1900;

    /// <summary>The longest answer that is read (bytes).</summary>
    public const int MaxBytes = 2048;

    /// <summary>What is searched for: the whole device, and its services for routers that answer for those only.</summary>
    public static readonly IReadOnlyList<string> Targets =
    [
        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        "urn:schemas-upnp-org:service:WANIPConnection:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "urn:schemas-upnp-org:service:WANPPPConnection:1",
    ];

    /// <summary>Where it is asked.</summary>
    public static readonly IPAddress Group = IPAddress.Parse("239.255.255.250");

    /// <summary>Asks who is such a thing; answers come within a second.</summary>
    public static byte[] Search(string target) =>
        Encoding.ASCII.GetBytes($"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\r\n");

    /// <summary>Where an answer says that the device is described; null: it is no answer, or one to another question.</summary>
    public static Uri? ReadLocation(ReadOnlySpan<byte> packet)
    {
        if (packet.Length > MaxBytes || !packet.StartsWith("HTTP/1.1 200"u8))
            return null;
        Uri? location = null;
        bool isAnswer = false;
        foreach (string line in Encoding.Latin1.GetString(packet).Split("\r\n").Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                continue;
            string name = line[..colon].Trim(), value = line[(colon + 1)..].Trim();
            if (name.Equals("LOCATION", StringComparison.OrdinalIgnoreCase))
                Uri.TryCreate(value, UriKind.Absolute, out location);
            else if (name.Equals("ST", StringComparison.OrdinalIgnoreCase))
                isAnswer = Targets.Contains(value);
        }

        return isAnswer ? location : null;
    }
}
