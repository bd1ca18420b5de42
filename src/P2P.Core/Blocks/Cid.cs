using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Primitives;

namespace P2P.Core;

/// <summary>A content identifier: names bytes by their hash, with a hint how to read them.</summary>
/// <remarks>
/// The default value is empty and names nothing. Two identifiers are equal when their bytes are; the same block may be named by several
/// (a version 0 and a version 1, or two codecs), which share their multihash.
/// </remarks>
public readonly struct Cid : IEquatable<Cid>, ISpanParsable<Cid>, ISpanFormattable
{
    /// <summary>The codec of plain bytes.</summary>
    public const ulong RawCodec = 0x55;

    /// <summary>The codec of DAG-PB nodes: files and folders.</summary>
    public const ulong DagPbCodec = 0x70;

    /// <summary>The codec of libp2p public keys: a peer id in CID form.</summary>
    internal const ulong Libp2pKeyCodec = 0x72;

    /// <summary>The longest binary form (bytes): version, codec and hash code of nine bytes each at most, and a digest of 128.</summary>
    internal const int MaxBytes = 1 + UVarint.MaxBytes + UVarint.MaxBytes + 2 + Multihash.MaxDigestBytes;

    private const int Version0Bytes = Multihash.Sha2_256Bytes;

    // never changed after construction
    private readonly byte[]? _bytes;

    private Cid(byte[] bytes) => _bytes = bytes;

    /// <summary>Whether this is the default value, which names nothing.</summary>
    public bool IsEmpty => _bytes is null;

    /// <summary>0 or 1.</summary>
    public int Version => _bytes is null || IsVersion0(_bytes) ? 0 : 1;

    /// <summary>How the bytes are to be read, a number from the multicodec table such as <see cref="RawCodec"/>.</summary>
    public ulong Codec
    {
        get
        {
            if (_bytes is null || IsVersion0(_bytes))
            {
                return DagPbCodec;
            }

            UVarint.TryRead(_bytes.AsSpan(1), out ulong codec, out _);
            return codec;
        }
    }

    /// <summary>The hash function, a number from the multicodec table; 0x12 is SHA-256.</summary>
    public ulong MultihashCode => Multihash.TryParse(MultihashSpan, out ulong code, out _, out _) ? code : 0;

    /// <summary>The length of the binary form (bytes).</summary>
    public int ByteLength => _bytes?.Length ?? 0;

    /// <summary>What makes two identifiers name the same block.</summary>
    internal MultihashKey Key => new(MultihashSpan);

    /// <summary>The multihash inside.</summary>
    internal ReadOnlySpan<byte> MultihashSpan
    {
        get
        {
            if (_bytes is null || IsVersion0(_bytes))
            {
                return _bytes;
            }

            UVarint.TryRead(_bytes.AsSpan(1), out _, out int codecBytes);
            return _bytes.AsSpan(1 + codecBytes);
        }
    }

    /// <summary>The digest inside the multihash.</summary>
    internal ReadOnlySpan<byte> Digest => Multihash.TryParse(MultihashSpan, out _, out ReadOnlySpan<byte> digest, out _) ? digest : default;

    /// <summary>Compares the bytes.</summary>
    public static bool operator ==(Cid left, Cid right) => left.Equals(right);

    /// <summary>Compares the bytes.</summary>
    public static bool operator !=(Cid left, Cid right) => !left.Equals(right);

    /// <summary>The identifier of plain bytes: version 1, raw, SHA-256 of exactly these bytes.</summary>
    public static Cid OfRaw(ReadOnlySpan<byte> data) => Of(RawCodec, data);

    /// <summary>The identifier of an encoded DAG-PB node: version 1, SHA-256 of exactly these bytes.</summary>
    public static Cid OfDagPb(ReadOnlySpan<byte> node) => Of(DagPbCodec, node);

    /// <summary>Reads a text: base58 (version 0), or any multibase text (version 1).</summary>
    /// <exception cref="FormatException">The text is not a content identifier; the message says what is wrong with it.</exception>
    public static Cid Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Parse(text.AsSpan(), null);
    }

    /// <inheritdoc />
    public static Cid Parse(string s, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc />
    public static Cid Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        CidText.TryParse(s, out Cid cid, out string? error) ? cid : throw new FormatException(error);

    /// <summary>Reads a text; false when it is not a content identifier.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Cid result) => TryParse(text.AsSpan(), null, out result);

    /// <inheritdoc />
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Cid result) => TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Cid result) => CidText.TryParse(s, out result, out _);

    /// <summary>Reads the binary form at the start of the bytes; what follows it is left alone.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> source, out Cid cid, out int bytesConsumed) =>
        TryRead(source, out cid, out bytesConsumed) == OperationStatus.Done;

    /// <summary>Writes the binary form.</summary>
    public bool TryWriteBytes(Span<byte> destination, out int bytesWritten)
    {
        bytesWritten = 0;
        if (!AsSpan().TryCopyTo(destination))
        {
            return false;
        }

        bytesWritten = ByteLength;
        return true;
    }

    /// <summary>A copy of the binary form.</summary>
    public byte[] ToArray() => AsSpan().ToArray();

    /// <inheritdoc />
    public bool Equals(Cid other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc />
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Cid other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => Key.GetHashCode();

    /// <summary>The usual text: base58 for version 0, base32 for version 1; empty for the default value.</summary>
    public override string ToString()
    {
        if (_bytes is null)
        {
            return "";
        }

        return IsVersion0(_bytes) ? Multibase.EncodeBare(MultibaseEncoding.Base58Btc, _bytes) : Multibase.Encode(MultibaseEncoding.Base32, _bytes);
    }

    /// <summary>The last ten characters of the text, for logs: the first ones say little more than the codec.</summary>
    public string ToShortString() => ToString() is { Length: > 10 } text ? text[^10..] : ToString();

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

    /// <summary>The version 1 identifier of a block whose SHA-256 is known.</summary>
    internal static Cid FromSha256(ulong codec, ReadOnlySpan<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(digest.Length, SHA256.HashSizeInBytes);
        byte[] bytes = NewSha256(codec, out Span<byte> destination);
        digest.CopyTo(destination);
        return new Cid(bytes);
    }

    /// <summary>The identifier with these parts; version 0 only for DAG-PB with SHA-256.</summary>
    internal static bool TryCreate(int version, ulong codec, ReadOnlySpan<byte> multihash, out Cid cid)
    {
        cid = default;
        if (!Multihash.TryParse(multihash, out _, out _, out int consumed) || consumed != multihash.Length)
        {
            return false;
        }

        if (version == 0)
        {
            cid = codec == DagPbCodec && IsVersion0(multihash) ? new Cid(multihash.ToArray()) : default;
            return !cid.IsEmpty;
        }

        byte[] bytes = new byte[1 + UVarint.SizeOf(codec) + multihash.Length];
        bytes[0] = 1;
        int position = 1 + UVarint.Write(bytes.AsSpan(1), codec);
        multihash.CopyTo(bytes.AsSpan(position));
        cid = new Cid(bytes);
        return version == 1;
    }

    /// <summary>Reads the binary form at the start of the bytes, telling a cut one from a malformed one.</summary>
    internal static OperationStatus TryRead(ReadOnlySpan<byte> source, out Cid cid, out int consumed)
    {
        cid = default;
        consumed = 0;
        if (source.IsEmpty)
        {
            return OperationStatus.NeedMoreData;
        }

        // a version 0 identifier is a bare multihash; no other version starts with its first byte
        if (source[0] == (byte)Multihash.Sha2_256)
        {
            if (source.Length > 1 && source[1] != SHA256.HashSizeInBytes)
            {
                return OperationStatus.InvalidData;
            }

            if (source.Length < Version0Bytes)
            {
                return OperationStatus.NeedMoreData;
            }

            cid = new Cid(source[..Version0Bytes].ToArray());
            consumed = Version0Bytes;
            return OperationStatus.Done;
        }

        if (source[0] != 1)
        {
            return OperationStatus.InvalidData;
        }

        OperationStatus status = UVarint.TryRead(source[1..], out _, out int codecBytes);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        status = Multihash.TryRead(source[(1 + codecBytes)..], out _, out _, out int multihashBytes);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        consumed = 1 + codecBytes + multihashBytes;
        cid = new Cid(source[..consumed].ToArray());
        return OperationStatus.Done;
    }

    /// <summary>The binary form.</summary>
    internal ReadOnlySpan<byte> AsSpan() => _bytes;

    /// <summary>The same block as version 1, which is what we print and create.</summary>
    internal Cid ToVersion1() => Version == 1 || IsEmpty || !TryCreate(1, DagPbCodec, MultihashSpan, out Cid cid) ? this : cid;

    /// <summary>The same block, to be read another way; always version 1.</summary>
    internal Cid WithCodec(ulong codec) =>
        (Codec == codec && Version == 1) || IsEmpty || !TryCreate(1, codec, MultihashSpan, out Cid cid) ? this : cid;

    private static Cid Of(ulong codec, ReadOnlySpan<byte> data)
    {
        byte[] bytes = NewSha256(codec, out Span<byte> digest);
        SHA256.HashData(data, digest);
        return new Cid(bytes);
    }

    private static byte[] NewSha256(ulong codec, out Span<byte> digest)
    {
        int codecBytes = UVarint.SizeOf(codec);
        byte[] bytes = new byte[1 + codecBytes + Multihash.Sha2_256Bytes];
        bytes[0] = 1;
        UVarint.Write(bytes.AsSpan(1), codec);
        bytes[1 + codecBytes] = (byte)Multihash.Sha2_256;
        bytes[2 + codecBytes] = SHA256.HashSizeInBytes;
        digest = bytes.AsSpan(3 + codecBytes);
        return bytes;
    }

    private static bool IsVersion0(ReadOnlySpan<byte> bytes) => bytes.Length == Version0Bytes && bytes[0] == Multihash.Sha2_256;
}
