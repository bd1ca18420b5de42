using System.Security;
using System.Text;
using System.Xml;

namespace P2P.Core.Nat;

/// <summary>A request to a service of a router, and its answer (UPnP device architecture 2.0, 3).</summary>
internal static class SoapMessage
{
    /// <summary>The longest answer (bytes).</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Values that are taken from an answer (count), and the longest of them (characters).</summary>
    private const int MaxValues = 32, MaxTextChars = 256;

    /// <summary>Writes a request.</summary>
    public static byte[] Write(string serviceType, string action, IReadOnlyList<(string Name, string Value)> arguments)
    {
        var text = new StringBuilder();
        text.Append("<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>")
            .Append("<u:").Append(action).Append(" xmlns:u=\"").Append(serviceType).Append("\">");
        foreach ((string name, string value) in arguments)
            text.Append('<').Append(name).Append('>').Append(SecurityElement.Escape(value)).Append("</").Append(name).Append('>');
        text.Append("</u:").Append(action).Append("></s:Body></s:Envelope>\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads the values of an answer, by name; of an error <c>errorCode</c> and <c>errorDescription</c>. Null: it is malformed.</summary>
    public static IReadOnlyDictionary<string, string>? Read(byte[] answer)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        try
        {
            using XmlReader reader = UpnpXml.Read(answer, MaxBytes);
            bool hasMore = reader.Read();
            while (hasMore)
            {
                if (reader.NodeType != XmlNodeType.Element)
                {
                    hasMore = reader.Read();
                    continue;
                }

                // a leaf is followed by its own end; of other elements the text is empty and the reader stands on the first child already
                string name = reader.LocalName;
                bool isEmpty = reader.IsEmptyElement;
                string text = UpnpXml.ReadText(reader, MaxTextChars);
                if (isEmpty)
                    hasMore = reader.Read();
                if (text.Length > 0 && values.Count < MaxValues)
                    values.TryAdd(name, text);
                hasMore = hasMore && !reader.EOF;
            }

            return values;
        }
        catch (XmlException)
        {
            return null;
        }
    }
}
