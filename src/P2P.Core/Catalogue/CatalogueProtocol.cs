using System.Diagnostics.CodeAnalysis;
using System.Text;
using Google.Protobuf;
using P2P.Core.Protocols;

namespace P2P.Core.Catalogue;

/// <summary>The messages of <c>/p2p-files/catalog/1.0.0</c>.</summary>
internal static class CatalogueProtocol
{
    /// <summary>The protocol by which peers of one network ask each other for what they share there.</summary>
    public const string Id = "/p2p-files/catalog/1.0.0";

    /// <summary>The longest message (bytes): it holds a whole list.</summary>
    public const int MaxMessageBytes = 1 << 20;

    /// <summary>Items of one peer (count), and bytes of a name.</summary>
    public const int MaxItems = 1_000, MaxNameBytes = 255;

    private const int MaxNodeNameBytes = 255;
    private const uint File = 0, Folder = 1;

    /// <summary>Writes a list.</summary>
    public static byte[] Encode(CatalogueList list)
    {
        var message = new CatalogueMessage { NodeName = list.NodeName };
        foreach (CatalogueItem item in list.Items.Take(MaxItems))
        {
            message.Items.Add(new CatalogueMessage.Types.Item
            {
                Name = item.Name,
                Cid = ByteString.CopyFrom(item.Root.ToArray()),
                Size = (ulong)item.Bytes,
                Kind = item.IsFolder ? Folder : File,
                Created = item.Created.ToUnixTimeSeconds(),
            });
        }

        return message.ToByteArray();
    }

    /// <summary>Reads a list; false: it is malformed or too long.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CatalogueList? list)
    {
        list = null;
        if (!ProtobufMessages.TryParse(CatalogueMessage.Parser, CatalogueMessage.Descriptor, bytes, out CatalogueMessage? message)
            || message.Items.Count > MaxItems || Encoding.UTF8.GetByteCount(message.NodeName) > MaxNodeNameBytes)
            return false;
        List<CatalogueItem> items = new(message.Items.Count);
        foreach (CatalogueMessage.Types.Item item in message.Items)
        {
            if (item.Name.Length == 0 || Encoding.UTF8.GetByteCount(item.Name) > MaxNameBytes || item.Size > long.MaxValue || item.Kind > Folder
                || !Cid.TryFromBytes(item.Cid.Span, out Cid root, out int length) || length != item.Cid.Length
                || item.Created < 0 || item.Created > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
                return false;
            items.Add(new CatalogueItem(item.Name, root, (long)item.Size, item.Kind == Folder, DateTimeOffset.FromUnixTimeSeconds(item.Created)));
        }

        list = new CatalogueList(message.NodeName, items);
        return true;
    }
}
