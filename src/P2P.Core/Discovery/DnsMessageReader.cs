using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace P2P.Core.Discovery;

/// <summary>
/// Reads messages of multicast DNS from strangers (RFC 1035, 4; RFC 6762). Every length is checked before it is used, a name is followed backwards only, and
/// what one message can make us keep is bounded by what a datagram holds.
/// </summary>
internal ref struct DnsMessageReader
{
    /// <summary>The longest message (bytes; RFC 6762, 17).</summary>
    public const int MaxMessageBytes = 9_000;

    private const int HeaderBytes = 12, MaxNameBytes = 255, MaxLabelBytes = 63;
    private const int MaxQuestions = 64, MaxRecords = 512;
    private const ushort ClassIn = 1, ClassMask = 0x7fff, TopBit = 0x8000;

    private readonly ReadOnlySpan<byte> _message;
    private int _at;

    private DnsMessageReader(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>Reads a message; false: it is malformed, or too much. Records of other classes and kinds are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsMessage? message)
    {
        message = null;
        if (bytes.Length is < HeaderBytes or > MaxMessageBytes)
            return false;
        var reader = new DnsMessageReader(bytes) { _at = HeaderBytes };
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if ((flags & 0x7800) != 0)
            return false; // another operation than a query, which multicast DNS does not have
        int questions = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]), answers = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        int others = BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]) + BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]);
        if (questions > MaxQuestions || answers + others > MaxRecords)
            return false;
        List<DnsQuestion> asked = [];
        List<DnsRecord> told = [], more = [];
        for (int i = 0; i < questions; i++)
        {
            if (!reader.TryReadQuestion(asked))
                return false;
        }

        for (int i = 0; i < answers + others; i++)
        {
            if (!reader.TryReadRecord(i < answers ? told : more))
                return false;
        }

        message = new DnsMessage { Id = BinaryPrimitives.ReadUInt16BigEndian(bytes), IsResponse = (flags & TopBit) != 0, Questions = asked, Answers = told, Additionals = more };
        return true;
    }

    private bool TryReadQuestion(List<DnsQuestion> questions)
    {
        if (!TryReadName(ref _at, out string? name) || !TryReadUInt16(out ushort type) || !TryReadUInt16(out ushort kind))
            return false;
        if ((kind & ClassMask) is ClassIn or 255)
            questions.Add(new DnsQuestion(name, (DnsType)type, (kind & TopBit) != 0));
        return true;
    }

    private bool TryReadRecord(List<DnsRecord> records)
    {
        if (!TryReadName(ref _at, out string? name) || !TryReadUInt16(out ushort type) || !TryReadUInt16(out ushort kind) || _at + 6 > _message.Length)
            return false;
        uint timeToLive = BinaryPrimitives.ReadUInt32BigEndian(_message[_at..]);
        int length = BinaryPrimitives.ReadUInt16BigEndian(_message[(_at + 4)..]), data = _at + 6, end = data + length;
        if (end > _message.Length)
            return false;
        _at = end;
        if ((kind & ClassMask) != ClassIn)
            return true;
        var record = new DnsRecord(name, (DnsType)type, timeToLive) { IsUnique = (kind & TopBit) != 0 };
        switch (record.Type)
        {
            case DnsType.Ptr:
                if (!TryReadName(ref data, out string? target) || data != end)
                    return false;
                records.Add(record with { Target = target });
                return true;
            case DnsType.Srv:
                if (length < 7)
                    return false;
                ushort port = BinaryPrimitives.ReadUInt16BigEndian(_message[(data + 4)..]);
                data += 6;
                if (!TryReadName(ref data, out string? host) || data != end)
                    return false;
                records.Add(record with { Target = host, Port = port });
                return true;
            case DnsType.Txt:
                if (!TryReadTexts(_message[data..end], out List<byte[]>? texts))
                    return false;
                records.Add(record with { Texts = texts });
                return true;
            case DnsType.A when length == 4:
            case DnsType.Aaaa when length == 16:
                records.Add(record with { Address = new IPAddress(_message[data..end]) });
                return true;
            default:
                return record.Type is not (DnsType.A or DnsType.Aaaa);
        }
    }

    private static bool TryReadTexts(ReadOnlySpan<byte> data, [NotNullWhen(true)] out List<byte[]>? texts)
    {
        texts = [];
        while (!data.IsEmpty)
        {
            int length = data[0];
            if (length >= data.Length)
                return false;
            if (length > 0)
                texts.Add(data[1..(1 + length)].ToArray());
            data = data[(1 + length)..];
        }

        return true;
    }

    /// <summary>Reads a name and moves behind it. A pointer must lead to before the place where the labels that it ends began, so that none leads in a circle.</summary>
    private readonly bool TryReadName(ref int at, [NotNullWhen(true)] out string? name)
    {
        name = null;
        var text = new StringBuilder();
        int position = at, limit = at, after = -1, total = 0;
        while (true)
        {
            if (position >= _message.Length)
                return false;
            int length = _message[position];
            if (length == 0)
            {
                at = after < 0 ? position + 1 : after;
                name = text.ToString();
                return true;
            }

            if ((length & 0xc0) == 0xc0)
            {
                if (position + 1 >= _message.Length)
                    return false;
                int to = ((length & 0x3f) << 8) | _message[position + 1];
                if (to >= limit)
                    return false;
                after = after < 0 ? position + 2 : after;
                (position, limit) = (to, to);
                continue;
            }

            total += 1 + length;
            if (length > MaxLabelBytes || total > MaxNameBytes || position + 1 + length > _message.Length)
                return false;
            if (text.Length > 0)
                text.Append('.');
            DnsNames.AppendLabel(text, _message.Slice(position + 1, length));
            position += 1 + length;
        }
    }

    private bool TryReadUInt16(out ushort value)
    {
        value = 0;
        if (_at + 2 > _message.Length)
            return false;
        value = BinaryPrimitives.ReadUInt16BigEndian(_message[_at..]);
        _at += 2;
        return true;
    }
}
