using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using P2P.Core.Node;
using P2P.Core.Primitives;

namespace P2P.Core;

/// <summary>What one person gives to another to fetch something: the content id, a name, who has it, and for a private share its key.</summary>
/// <remarks>
/// Written as <c>p2p://&lt;cid&gt;/&lt;label&gt;#&lt;hints&gt;</c>. Read as well: <c>?peer=&lt;multiaddr&gt;</c> in place of hints, <c>ipfs://&lt;cid&gt;[/path]</c>,
/// <c>/ipfs/&lt;cid&gt;[/path]</c> and a bare content id. Only <see cref="ToUriString"/> shows the key; <see cref="ToString"/> does not, so that a link can be logged.
/// </remarks>
public sealed class ShareLink : IEquatable<ShareLink>, ISpanParsable<ShareLink>, ISpanFormattable
{
    /// <summary>The label of every private share: its name is inside, encrypted.</summary>
    internal const string PrivateLabel = "~private";

    /// <summary>The most characters that we write besides the label.</summary>
    internal const int MaxCharsBesidesLabel = 300;

    /// <summary>The longest label (bytes of UTF-8); no file system here has longer names.</summary>
    internal const int MaxLabelBytes = 255;

    private const string Scheme = "p2p://";
    private const int ShortLabelChars = 40;

    private readonly byte[] _key;

    internal ShareLink(Cid root, string? label, string? path, byte[]? key, IReadOnlyList<PeerHint> peers)
    {
        Root = root.ToVersion1();
        Label = label;
        Path = path;
        Peers = peers;
        _key = key ?? [];
    }

    /// <summary>The content, always as version 1.</summary>
    public Cid Root { get; }

    /// <summary>The name that the sharer gave it; null when the link has none. A claim: not a safe file name.</summary>
    public string? Label { get; }

    /// <summary>The path inside the content, segments separated by <c>/</c>; null for the content as a whole.</summary>
    public string? Path { get; }

    /// <summary>Who may have it, each peer once.</summary>
    public IReadOnlyList<PeerHint> Peers { get; }

    /// <summary>Whether the link holds the key of a private share.</summary>
    public bool HasKey => _key.Length > 0;

    /// <summary>The key of a private share; empty for a public one.</summary>
    internal ReadOnlySpan<byte> Key => _key;

    /// <summary>Compares what the links hold.</summary>
    public static bool operator ==(ShareLink? left, ShareLink? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Compares what the links hold.</summary>
    public static bool operator !=(ShareLink? left, ShareLink? right) => !(left == right);

    /// <summary>Reads a link.</summary>
    /// <exception cref="FormatException">The text is no link, or one that has lost its key; the message says what is wrong.</exception>
    public static ShareLink Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text.AsSpan(), null);
    }

    /// <inheritdoc />
    public static ShareLink Parse(string s, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc />
    public static ShareLink Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        ShareLinkText.TryParse(s, out ShareLink? link, out string? error) ? link : throw new FormatException(error);

    /// <summary>Reads a link; false when the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [MaybeNullWhen(false)] out ShareLink result) => ShareLinkText.TryParse(text, out result, out _);

    /// <inheritdoc />
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out ShareLink result) =>
        ShareLinkText.TryParse(s, out result, out _);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, [MaybeNullWhen(false)] out ShareLink result) =>
        ShareLinkText.TryParse(s, out result, out _);

    /// <summary>The link to give away, key included. Pastes unquoted into any common shell.</summary>
    public string ToUriString()
    {
        var text = new StringBuilder(Scheme).Append(Root.ToString());
        if (Label is not null)
        {
            text.Append('/').Append(EncodeLabel(Label));
        }

        string hints = LinkHints.Encode(_key, Peers);
        return (hints.Length == 0 ? text : text.Append('#').Append(hints)).ToString();
    }

    /// <summary>A shortened link for logs and messages. It cannot be fetched: the key and the peers are shown as <c>...</c>.</summary>
    public override string ToString()
    {
        string root = Root.ToString();
        root = root.Length > 16 ? $"{root[..9]}...{root[^2..]}" : root;
        string label = Label is null ? "" : EncodeLabel(Label);
        label = label.Length > ShortLabelChars ? $"{label[..ShortLabelChars]}..." : label;
        return $"{Scheme}{root}{(Label is null ? "" : "/")}{label}{(HasKey || Peers.Count > 0 ? "#..." : "")}";
    }

    /// <inheritdoc />
    public bool Equals([NotNullWhen(true)] ShareLink? other) =>
        other is not null && Root == other.Root && Label == other.Label && Path == other.Path && Peers.SequenceEqual(other.Peers) &&
        CryptographicOperations.FixedTimeEquals(_key, other._key);

    /// <inheritdoc />
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as ShareLink);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Root, Label, Path, Peers.Count);

    /// <summary>The same link with fewer addresses, for where room is short, such as a QR code: those that come first.</summary>
    /// <param name="maxAddresses">How many it keeps of all peers together; 0: none, and no peers.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public ShareLink WithFewerAddresses(int maxAddresses)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxAddresses);
        List<PeerHint> kept = [];
        foreach (PeerHint peer in Peers)
        {
            if (maxAddresses == 0)
                break;
            Multiaddress[] addresses = [.. peer.Addresses.Take(maxAddresses)];
            maxAddresses -= addresses.Length;
            kept.Add(new PeerHint(peer.Peer, addresses));
        }

        return new ShareLink(Root, Label, Path, _key, kept);
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

    /// <summary>The link of a public share. Of the addresses it takes as many as fit.</summary>
    /// <exception cref="ArgumentException">The label is empty, reserved or longer than <see cref="MaxLabelBytes"/>.</exception>
    internal static ShareLink Create(Cid root, string label, IEnumerable<PeerHint> peers)
    {
        if (string.IsNullOrEmpty(label) || label == PrivateLabel || Encoding.UTF8.GetByteCount(label) > MaxLabelBytes)
        {
            throw new ArgumentException($"A share's name has 1 to {MaxLabelBytes} bytes and is not \"{PrivateLabel}\".", nameof(label));
        }

        return new ShareLink(root, label, path: null, key: null, Select(root, 0, peers));
    }

    /// <summary>The link of a private share.</summary>
    internal static ShareLink CreatePrivate(Cid root, ReadOnlySpan<byte> key, IEnumerable<PeerHint> peers)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, LinkHints.KeyBytes);
        return new ShareLink(root, PrivateLabel, path: null, key.ToArray(), Select(root, key.Length, peers));
    }

    private static IReadOnlyList<PeerHint> Select(Cid root, int keyBytes, IEnumerable<PeerHint> peers)
    {
        // the scheme, the content id, and the two characters around the label
        int besides = Scheme.Length + root.ToVersion1().ToString().Length + 2;
        return LinkHints.Select(peers, keyBytes, MaxCharsBesidesLabel - besides);
    }

    private static string EncodeLabel(string label) => PercentEncoding.Encode(Encoding.UTF8.GetBytes(label));
}
