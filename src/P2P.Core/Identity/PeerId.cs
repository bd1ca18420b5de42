using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using P2P.Core.Identity;
using P2P.Core.Primitives;

namespace P2P.Core;

/// <summary>
/// The name of a peer: the multihash of its public key, the key itself for short keys. Written in base58 ("12D3KooW..."); CIDv1 texts with the
/// codec libp2p-key ("k51...", "bafz...") are read too.
/// </summary>
public readonly struct PeerId : IEquatable<PeerId>, IComparable<PeerId>, ISpanParsable<PeerId>, ISpanFormattable
{
    internal const byte IdentityCode = 0x00;
    internal const byte Sha256Code = 0x12;

    /// <summary>Encoded keys up to this length are in the id itself (bytes).</summary>
    internal const int MaxInlineKeyBytes = 42;

    /// <summary>The longest multihash: an inline key with its two-byte prefix (bytes).</summary>
    internal const int MaxBytes = 2 + MaxInlineKeyBytes;

    /// <summary>Longer texts are refused before they are decoded: base16, the longest form, takes 1 + 2 x (44 + 2) characters.</summary>
    private const int MaxTextLength = 100;

    private const int ShortLength = 8;

    /// <summary>CID version 1 and the codec libp2p-key, in front of the multihash.</summary>
    private static ReadOnlySpan<byte> CidPrefix => [0x01, 0x72];

    private readonly byte[]? _multihash;

    private PeerId(byte[] multihash) => _multihash = multihash;

    /// <summary>Whether this is <c>default</c>, which names no peer.</summary>
    public bool IsEmpty => _multihash is null;

    /// <summary>The length of the multihash (bytes); 0 for <c>default</c>.</summary>
    public int ByteLength => _multihash?.Length ?? 0;

    /// <summary>Compares two ids.</summary>
    /// <param name="left">One id.</param>
    /// <param name="right">The other id.</param>
    /// <returns>Whether they name the same peer.</returns>
    public static bool operator ==(PeerId left, PeerId right) => left.Equals(right);

    /// <summary>Compares two ids.</summary>
    /// <param name="left">One id.</param>
    /// <param name="right">The other id.</param>
    /// <returns>Whether they name different peers.</returns>
    public static bool operator !=(PeerId left, PeerId right) => !left.Equals(right);

    /// <summary>Orders two ids, as <see cref="CompareTo"/> does.</summary>
    /// <param name="left">One id.</param>
    /// <param name="right">The other id.</param>
    /// <returns>Whether the left id comes before the right one.</returns>
    public static bool operator <(PeerId left, PeerId right) => left.CompareTo(right) < 0;

    /// <summary>Orders two ids, as <see cref="CompareTo"/> does.</summary>
    /// <param name="left">One id.</param>
    /// <param name="right">The other id.</param>
    /// <returns>Whether the left id comes before or equal to the right one.</returns>
    public static bool operator <=(PeerId left, PeerId right) => left.CompareTo(right) <= 0;

    /// <summary>Orders two ids, as <see cref="CompareTo"/> does.</summary>
    /// <param name="left">One id.</param>
    /// <param name="right">The other id.</param>
    /// <returns>Whether the left id comes behind the right one.</returns>
    public static bool operator >(PeerId left, PeerId right) => left.CompareTo(right) > 0;

    /// <summary>Orders two ids, as <see cref="CompareTo"/> does.</summary>
    /// <param name="left">One id.</param>
    /// <param name="right">The other id.</param>
    /// <returns>Whether the left id comes behind or equal to the right one.</returns>
    public static bool operator >=(PeerId left, PeerId right) => left.CompareTo(right) >= 0;

    /// <summary>Reads an id from its text: base58, or a CIDv1 of the codec libp2p-key in any common multibase.</summary>
    /// <param name="s">The text.</param>
    /// <returns>The id.</returns>
    /// <exception cref="FormatException">The text is not a peer id.</exception>
    public static PeerId Parse(string s) => Parse(s, null);

    /// <inheritdoc cref="Parse(string)"/>
    /// <param name="s">The text.</param>
    /// <param name="provider">Not used.</param>
    public static PeerId Parse(string s, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc cref="Parse(string)"/>
    /// <param name="s">The text.</param>
    /// <param name="provider">Not used.</param>
    public static PeerId Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => TryParse(s, provider, out PeerId id)
        ? id
        : throw new FormatException("The text is not a peer id. One looks like 12D3KooW... (52 characters).");

    /// <summary>Reads an id from its text, as <see cref="Parse(string)"/> does.</summary>
    /// <param name="s">The text.</param>
    /// <param name="result">The id, or <c>default</c>.</param>
    /// <returns>Whether the text is a peer id.</returns>
    public static bool TryParse([NotNullWhen(true)] string? s, out PeerId result) => TryParse(s.AsSpan(), null, out result);

    /// <inheritdoc cref="TryParse(string?, out PeerId)"/>
    /// <param name="s">The text.</param>
    /// <param name="provider">Not used.</param>
    /// <param name="result">The id, or <c>default</c>.</param>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out PeerId result) => TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc cref="TryParse(string?, out PeerId)"/>
    /// <param name="s">The text.</param>
    /// <param name="provider">Not used.</param>
    /// <param name="result">The id, or <c>default</c>.</param>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out PeerId result)
    {
        result = default;
        if (s.Length is 0 or > MaxTextLength)
            return false;
        if (s[0] == '1' || s.StartsWith("Qm", StringComparison.Ordinal))
            return Multibase.TryDecode(MultibaseEncoding.Base58Btc, s, out byte[] multihash) && TryFromBytes(multihash, out result);
        return Multibase.TryDecode(s, out byte[] cid)
            && cid.AsSpan().StartsWith(CidPrefix)
            && TryFromBytes(cid.AsSpan(CidPrefix.Length), out result);
    }

    /// <summary>Reads an id from its multihash: SHA-256 of 32 bytes, or the identity of at most 42.</summary>
    /// <param name="multihash">Exactly the multihash.</param>
    /// <param name="id">The id, or <c>default</c>.</param>
    /// <returns>Whether the bytes are a peer id.</returns>
    public static bool TryFromBytes(ReadOnlySpan<byte> multihash, out PeerId id)
    {
        id = default;
        if (multihash.Length < 3 || multihash[1] != multihash.Length - 2)
            return false;
        bool known = multihash[0] switch
        {
            IdentityCode => multihash[1] <= MaxInlineKeyBytes,
            Sha256Code => multihash[1] == SHA256.HashSizeInBytes,
            _ => false,
        };
        if (known)
            id = new PeerId(multihash.ToArray());
        return known;
    }

    /// <summary>Reads an id from its multihash, as <see cref="TryFromBytes"/> does.</summary>
    /// <param name="multihash">Exactly the multihash.</param>
    /// <returns>The id.</returns>
    /// <exception cref="FormatException">The bytes are not a peer id.</exception>
    public static PeerId FromBytes(ReadOnlySpan<byte> multihash) => TryFromBytes(multihash, out PeerId id)
        ? id
        : throw new FormatException("The bytes are not a peer id: neither a SHA-256 multihash nor an inline key of at most 42 bytes.");

    /// <summary>Writes the multihash.</summary>
    /// <param name="destination">Where to; <see cref="ByteLength"/> bytes are needed.</param>
    /// <param name="bytesWritten">The bytes written, 0 if they do not fit.</param>
    /// <returns>Whether they fit.</returns>
    public bool TryWriteBytes(Span<byte> destination, out int bytesWritten)
    {
        bool fits = AsSpan().TryCopyTo(destination);
        bytesWritten = fits ? ByteLength : 0;
        return fits;
    }

    /// <summary>Copies the multihash.</summary>
    /// <returns>A new array; empty for <c>default</c>.</returns>
    public byte[] ToArray() => AsSpan().ToArray();

    /// <summary>Writes the id in base58, as other tools show it.</summary>
    /// <returns>The text; empty for <c>default</c>.</returns>
    public override string ToString() => ToString(null, null);

    /// <summary>Writes a star and the last eight characters: enough for a log line, not a name.</summary>
    /// <returns>The text, at most nine characters; empty for <c>default</c>.</returns>
    public string ToShortString()
    {
        string text = ToString(null, null);
        return text.Length <= ShortLength ? text : string.Concat("*", text.AsSpan(text.Length - ShortLength));
    }

    /// <summary>Writes the id as a CIDv1 of the codec libp2p-key in base36 ("k51...").</summary>
    /// <returns>The text; empty for <c>default</c>.</returns>
    public string ToCidString() => IsEmpty ? "" : Multibase.Encode(MultibaseEncoding.Base36, [.. CidPrefix, .. AsSpan()]);

    /// <summary>Writes the id in base58, whatever the format.</summary>
    /// <param name="format">Not used.</param>
    /// <param name="formatProvider">Not used.</param>
    /// <returns>The text of <see cref="ToString()"/>.</returns>
    public string ToString(string? format, IFormatProvider? formatProvider) => Multibase.EncodeBare(MultibaseEncoding.Base58Btc, AsSpan());

    /// <inheritdoc/>
    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        string text = ToString(null, null);
        bool fits = text.TryCopyTo(destination);
        charsWritten = fits ? text.Length : 0;
        return fits;
    }

    /// <inheritdoc/>
    public bool Equals(PeerId other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is PeerId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(AsSpan());
        return hash.ToHashCode();
    }

    /// <summary>Orders ids by the bytes of their multihashes; <c>default</c> comes first.</summary>
    /// <param name="other">The other id.</param>
    /// <returns>Below 0, 0 or above 0.</returns>
    public int CompareTo(PeerId other) => AsSpan().SequenceCompareTo(other.AsSpan());

    /// <summary>The multihash, without a copy.</summary>
    internal ReadOnlySpan<byte> AsSpan() => _multihash;

    /// <summary>Gives the public key if the id contains it (identity multihash) and it is acceptable.</summary>
    internal bool TryGetPublicKey([NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        ReadOnlySpan<byte> multihash = AsSpan();
        return multihash.Length > 2 && multihash[0] == IdentityCode && PublicKey.TryDecode(multihash[2..], out key, out _);
    }
}
