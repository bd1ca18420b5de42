using System.Diagnostics.CodeAnalysis;
using System.Text;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core.Node;

/// <summary>Reads the forms in which links are pasted, and says in a sentence what is wrong with what is none.</summary>
internal static class ShareLinkText
{
    /// <summary>The longest text that is read (characters).</summary>
    public const int MaxChars = 16 << 10;

    /// <summary>The longest path inside the content (characters).</summary>
    public const int MaxPathChars = 4096;

    private const string LostKey = "this link has lost its key (the part after #)";
    private const string Damaged = "the part after # is damaged: was the link cut or changed?";

    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out ShareLink? link, [NotNullWhen(false)] out string? error)
    {
        link = null;
        text = text.Trim();
        if (text.Length > MaxChars)
        {
            error = $"a link has at most {MaxChars} characters";
            return false;
        }

        error = Read(text, out link);
        return error is null;
    }

    private static string? Read(ReadOnlySpan<char> text, out ShareLink? link)
    {
        link = null;
        if (text.IsEmpty)
        {
            return "a link is missing";
        }

        if (TryStrip(ref text, "p2p://"))
        {
            return ReadP2P(text, out link);
        }

        if (TryStrip(ref text, "ipfs://"))
        {
            return ReadIpfsUri(text, out link);
        }

        if (TryStrip(ref text, "/ipfs/"))
        {
            // a path, not a URI: nothing in it is escaped
            return ReadRootAndPath(text, [], path => path, out link);
        }

        if (text.StartsWith("lan:", StringComparison.OrdinalIgnoreCase))
        {
            return "a lan: name is no link: it is looked up on this network, by \"p2p fetch\"";
        }

        if (text.StartsWith("ipns:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("/ipns/", StringComparison.OrdinalIgnoreCase))
        {
            return "IPNS names cannot be fetched; ask for the content id that it points at";
        }

        if (text.ContainsAny(":/?#"))
        {
            return "this is no link; one looks like p2p://bafy.../name#..., ipfs://bafy..., /ipfs/bafy... or bafy...";
        }

        return ReadRootAndPath(text, [], path => path, out link);
    }

    // <cid>[/<label>][?peer=...][#hints]
    private static string? ReadP2P(ReadOnlySpan<char> text, out ShareLink? link)
    {
        link = null;
        ReadOnlySpan<char> hints = TakeAfter(ref text, '#');
        ReadOnlySpan<char> query = TakeAfter(ref text, '?');
        ReadOnlySpan<char> encodedLabel = TakeAfter(ref text, '/').TrimEnd('/');
        if (!CidText.TryParse(text, out Cid root, out string? error))
        {
            return error;
        }

        if (encodedLabel.Contains('/'))
        {
            return "the name in a p2p:// link cannot have a / in it";
        }

        if (!PercentEncoding.TryDecode(encodedLabel, out byte[] labelBytes))
        {
            return "the name in the link is damaged: a % is followed by something else than two hexadecimal digits";
        }

        if (labelBytes.Length > ShareLink.MaxLabelBytes)
        {
            return $"the name in the link is longer than {ShareLink.MaxLabelBytes} bytes";
        }

        string? label = labelBytes.Length == 0 ? null : Encoding.UTF8.GetString(labelBytes);
        byte[]? key = null;
        List<PeerHint> peers = [];
        if (hints.Length > LinkHints.MaxChars || (!hints.IsEmpty && !LinkHints.TryDecode(hints, out key, out peers)))
        {
            return label == ShareLink.PrivateLabel ? $"{LostKey}: {Damaged}" : Damaged;
        }

        if (label == ShareLink.PrivateLabel && key is null)
        {
            return LostKey;
        }

        error = ReadPeers(query, peers);
        link = error is null ? new ShareLink(root, label, path: null, key, peers) : null;
        return error;
    }

    private static string? ReadIpfsUri(ReadOnlySpan<char> text, out ShareLink? link)
    {
        link = null;

        // the part after # is a place in a page, nothing for us
        TakeAfter(ref text, '#');
        ReadOnlySpan<char> query = TakeAfter(ref text, '?');
        List<PeerHint> peers = [];
        return ReadPeers(query, peers) ?? ReadRootAndPath(text, peers, Unescape, out link);
    }

    private static string? ReadRootAndPath(ReadOnlySpan<char> text, List<PeerHint> peers, Func<string, string?> unescape, out ShareLink? link)
    {
        link = null;
        ReadOnlySpan<char> rawPath = TakeAfter(ref text, '/').Trim('/');
        if (!CidText.TryParse(text, out Cid root, out string? error))
        {
            return error;
        }

        if (rawPath.Length > MaxPathChars)
        {
            return $"the path in the link is longer than {MaxPathChars} characters";
        }

        string? path = rawPath.IsEmpty ? null : unescape(rawPath.ToString());
        if (!rawPath.IsEmpty && path is null)
        {
            return "the path in the link is damaged: a % is followed by something else than two hexadecimal digits";
        }

        link = new ShareLink(root, label: null, path, key: null, peers);
        return null;
    }

    // peer=<multiaddr>&peer=<multiaddr>; keys that are not known here are skipped
    private static string? ReadPeers(ReadOnlySpan<char> query, List<PeerHint> peers)
    {
        int addresses = 0;
        foreach (Range range in query.Split('&'))
        {
            ReadOnlySpan<char> pair = query[range];
            if (!TryStrip(ref pair, "peer=") || addresses == LinkHints.MaxRead)
            {
                continue;
            }

            addresses++;
            if (Unescape(pair.ToString()) is not { } text || !Multiaddress.TryParse(text, null, out Multiaddress? address) || address.PeerId is not { } peer ||
                (address.Components.Count > 1 && address.WithoutPeerId().PeerId is not null))
            {
                return "a peer in the link is no address: one looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW...";
            }

            LinkHints.Merge(peers, new PeerHint(peer, address.Components.Count > 1 ? [address.WithoutPeerId()] : []));
        }

        return null;
    }

    private static string? Unescape(string text) => PercentEncoding.TryDecode(text, out byte[] bytes) ? Encoding.UTF8.GetString(bytes) : null;

    private static bool TryStrip(ref ReadOnlySpan<char> text, string prefix)
    {
        bool found = text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
        text = found ? text[prefix.Length..] : text;
        return found;
    }

    // cuts the text at the separator and returns what followed it
    private static ReadOnlySpan<char> TakeAfter(ref ReadOnlySpan<char> text, char separator)
    {
        int index = text.IndexOf(separator);
        ReadOnlySpan<char> after = index < 0 ? default : text[(index + 1)..];
        text = index < 0 ? text : text[..index];
        return after;
    }
}
