using System.Globalization;
using System.Text;
using P2P.Core.Identity;
using P2P.Core.Primitives;

namespace P2P.Core.Dht;

/// <summary>Records <c>/ipns/</c>: where a name points, signed by its key (ipfs/specs, ipns-record). Version 2 signatures only; copies of version 1 must agree.</summary>
internal sealed class IpnsValidator : IRecordValidator
{
    /// <summary>The longest record (bytes).</summary>
    public const int MaxRecordBytes = 10 << 10;

    private const int ValueField = 1, SignatureV1Field = 2, ValidityTypeField = 3, ValidityField = 4, SequenceField = 5, TtlField = 6, KeyField = 7, SignatureField = 8, DataField = 9;
    private const byte IdentityCode = 0;

    private static ReadOnlySpan<byte> SignaturePrefix => "ipns-signature:"u8;

    /// <inheritdoc/>
    public bool IsValid(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, DateTimeOffset utcNow)
    {
        if (!TryRead(value, out Entry entry) || !IpnsData.TryRead(entry.Data, out IpnsData data))
            return false;
        if (FindKey(name, entry.Key) is not { } key || !key.Verify([.. SignaturePrefix, .. entry.Data], entry.Signature))
            return false;
        if ((entry.HasSignatureV1 || !entry.Value.IsEmpty) && !Agrees(entry, data))
            return false;
        return data.ValidityType == 0 && TryReadDate(data.Validity, out DateTimeOffset until) && until > utcNow;
    }

    /// <inheritdoc/>
    public int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (!TryRead(left, out Entry a) || !IpnsData.TryRead(a.Data, out IpnsData one) || !TryRead(right, out Entry b) || !IpnsData.TryRead(b.Data, out IpnsData other))
            return 0;
        int order = one.Sequence.CompareTo(other.Sequence);
        if (order == 0 && TryReadDate(one.Validity, out DateTimeOffset until) && TryReadDate(other.Validity, out DateTimeOffset otherUntil))
            order = until.CompareTo(otherUntil);
        return order != 0 ? order : left.SequenceCompareTo(right);
    }

    private static bool Agrees(in Entry entry, in IpnsData data) =>
        entry.Value.SequenceEqual(data.Value)
        && entry.Validity.SequenceEqual(data.Validity)
        && entry.ValidityType == data.ValidityType
        && entry.Sequence == data.Sequence
        && entry.Ttl == data.Ttl;

    /// <summary>The key in the record when it is that of the name, otherwise the one inside the name.</summary>
    private static PublicKey? FindKey(ReadOnlySpan<byte> name, ReadOnlySpan<byte> encoded)
    {
        if (!PeerId.TryFromBytes(name, out PeerId peer))
            return null;
        if (!encoded.IsEmpty)
            return PublicKey.TryDecode(encoded, out PublicKey? given, out _) && given.ToPeerId() == peer ? given : null;
        return name[0] == IdentityCode && PublicKey.TryDecode(name[2..], out PublicKey? inline, out _) ? inline : null;
    }

    private static bool TryReadDate(ReadOnlySpan<byte> text, out DateTimeOffset date)
    {
        date = default;
        if (text.Length is 0 or > 40)
            return false;

        // go writes up to nine digits of a fraction, .NET reads seven
        string ascii = Encoding.ASCII.GetString(text);
        int dot = ascii.IndexOf('.', StringComparison.Ordinal), end = ascii.Length - 1;
        if (dot > 0 && ascii.EndsWith('Z') && end - dot > 8)
            ascii = string.Concat(ascii.AsSpan(0, dot + 8), "Z");
        return DateTimeOffset.TryParse(ascii, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out date);
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, out Entry entry)
    {
        entry = default;
        if (bytes.Length > MaxRecordBytes)
            return false;
        var reader = new ProtobufReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType wire))
                return false;
            if (wire == WireType.Varint && field is ValidityTypeField or SequenceField or TtlField)
            {
                if (!reader.TryReadVarint(out ulong number))
                    return false;
                if (field == ValidityTypeField)
                    entry.ValidityType = number;
                else if (field == SequenceField)
                    entry.Sequence = number;
                else
                    entry.Ttl = number;
                continue;
            }

            if (wire != WireType.Bytes)
            {
                if (!reader.TrySkip(wire))
                    return false;
                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> content))
                return false;
            switch (field)
            {
                case ValueField:
                    entry.Value = content;
                    break;
                case SignatureV1Field:
                    entry.HasSignatureV1 = !content.IsEmpty;
                    break;
                case ValidityField:
                    entry.Validity = content;
                    break;
                case KeyField:
                    entry.Key = content;
                    break;
                case SignatureField:
                    entry.Signature = content;
                    break;
                case DataField:
                    entry.Data = content;
                    break;
            }
        }

        return !entry.Signature.IsEmpty && !entry.Data.IsEmpty;
    }

    private ref struct Entry
    {
        public ReadOnlySpan<byte> Value;
        public bool HasSignatureV1;
        public ulong ValidityType;
        public ReadOnlySpan<byte> Validity;
        public ulong Sequence;
        public ulong Ttl;
        public ReadOnlySpan<byte> Key;
        public ReadOnlySpan<byte> Signature;
        public ReadOnlySpan<byte> Data;
    }
}
