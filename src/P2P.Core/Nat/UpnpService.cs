using System.Net;
using System.Text;
using System.Xml;

namespace P2P.Core.Nat;

/// <summary>A service of a router that maps ports.</summary>
/// <param name="Type">Its type, which each request names.</param>
/// <param name="Control">Where requests are posted.</param>
internal sealed record UpnpService(string Type, Uri Control)
{
    /// <summary>The types, the best first.</summary>
    public static readonly IReadOnlyList<string> Types =
    [
        "urn:schemas-upnp-org:service:WANIPConnection:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "urn:schemas-upnp-org:service:WANPPPConnection:1",
    ];

    /// <summary>The longest description (bytes).</summary>
    public const int MaxDescriptionBytes = 256 * 1024;

    /// <summary>Services that are taken from a description (count), and the longest text of an element (characters).</summary>
    private const int MaxServices = 8, MaxTextChars = 1024;

    /// <summary>Whether the service is of version 2, which chooses a free port itself.</summary>
    public bool ChoosesPort => Type.EndsWith("WANIPConnection:2", StringComparison.Ordinal);

    /// <summary>Whether a URL is one of the router itself: plain HTTP at its own address, not at a name that leads who knows where.</summary>
    public static bool IsOf(Uri url, IPAddress router) =>
        url is { IsAbsoluteUri: true, Scheme: "http", UserInfo: "" } && url.HostNameType == UriHostNameType.IPv4 && IPAddress.TryParse(url.Host, out IPAddress? host) && host.Equals(router);

    /// <summary>Reads the services that map ports out of a device's description, the best first. None: it has none, or is malformed.</summary>
    /// <param name="description">XML.</param>
    /// <param name="location">Where it was read.</param>
    /// <param name="router">The only host whose URLs count.</param>
    public static IReadOnlyList<UpnpService> ReadAll(byte[] description, Uri location, IPAddress router)
    {
        List<(string Type, string Control)> found = [];
        Uri origin = location;
        string type = "", control = "";
        try
        {
            using XmlReader reader = UpnpXml.Read(description, MaxDescriptionBytes);
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.EndElement && reader.LocalName == "service")
                {
                    if (Types.Contains(type) && control.Length > 0 && found.Count < MaxServices)
                        found.Add((type, control));
                    (type, control) = ("", "");
                }

                if (reader.NodeType != XmlNodeType.Element)
                    continue;
                switch (reader.LocalName)
                {
                    case "URLBase" when UpnpXml.ReadText(reader, MaxTextChars) is { Length: > 0 } text && Uri.TryCreate(text, UriKind.Absolute, out Uri? stated):
                        origin = stated;
                        break;
                    case "serviceType":
                        type = UpnpXml.ReadText(reader, MaxTextChars);
                        break;
                    case "controlURL":
                        control = UpnpXml.ReadText(reader, MaxTextChars);
                        break;
                }
            }
        }
        catch (XmlException)
        {
            return [];
        }

        return [.. found
            .Select(service => Uri.TryCreate(origin, service.Control, out Uri? url) && IsOf(url, router) ? new UpnpService(service.Type, url) : null)
            .OfType<UpnpService>()
            .Distinct()
            .OrderBy(static service => Types.ToList().IndexOf(service.Type))];
    }
}

/// <summary>Reads XML that nobody vouches for: no document type, nothing from elsewhere, no more than so much.</summary>
internal static class UpnpXml
{
    /// <exception cref="XmlException">It is malformed, by a later read too.</exception>
    public static XmlReader Read(byte[] xml, int maxChars) => XmlReader.Create(
        new MemoryStream(xml),
        new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = maxChars,
            MaxCharactersFromEntities = 1024,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
        });

    /// <summary>The text right below the element that the reader stands on, cut off where it is too long; leaves the reader before what follows.</summary>
    public static string ReadText(XmlReader reader, int maxChars)
    {
        if (reader.IsEmptyElement)
            return "";
        var text = new StringBuilder();
        // by peeking at the type of what comes next, the end of the element is left to the caller's loop
        while (reader.Read() && reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA)
            text.Append(reader.Value.AsSpan(0, Math.Min(reader.Value.Length, maxChars - text.Length)));
        return text.ToString().Trim();
    }
}
