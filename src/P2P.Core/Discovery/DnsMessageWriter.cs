using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace P2P.Core.Discovery;

/// <summary>Writes messages of multicast DNS, names compressed (RFC 1035, 4.1.4).</summary>
internal sealed class DnsMessageWriter
{
    private const ushort ClassIn = 1, TopBit = 0x8000, Response = 0x8400; // an answer of who is sure of it
    private const int LastPointer = 0x3fff;

    private readonly List<byte> _bytes = [];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    private DnsMessageWriter()
    {
    }

    /// <summary>Writes a message.</summary>
    public static byte[] Write(DnsMessage message)
    {
        var writer = new DnsMessageWriter();
        writer.AddUInt16(message.Id);
        writer.AddUInt16(message.IsResponse ? Response : (ushort)0);
        writer.AddUInt16((ushort)message.Questions.Count);
        writer.AddUInt16((ushort)message.Answers.Count);
        writer.AddUInt16(0);
        writer.AddUInt16((ushort)message.Additionals.Count);
        foreach (DnsQuestion question in message.Questions)
        {
            writer.AddName(question.Name);
            writer.AddUInt16((ushort)question.Type);
            writer.AddUInt16((ushort)(ClassIn | (question.WantsUnicast ? TopBit : 0)));
        }

        foreach (DnsRecord record in message.Answers.Concat(message.Additionals))
            writer.AddRecord(record);
        return [.. writer._bytes];
    }

    private void AddRecord(DnsRecord record)
    {
        AddName(record.Name);
        AddUInt16((ushort)record.Type);
        AddUInt16((ushort)(ClassIn | (record.IsUnique ? TopBit : 0)));
        Span<byte> timeToLive = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(timeToLive, record.TimeToLive);
        _bytes.AddRange(timeToLive);
        int length = _bytes.Count;
        AddUInt16(0);
        AddData(record);
        BinaryPrimitives.WriteUInt16BigEndian(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes)[length..], (ushort)(_bytes.Count - length - 2));
    }

    private void AddData(DnsRecord record)
    {
        switch (record.Type)
        {
            case DnsType.Ptr:
                AddName(record.Target);
                break;
            case DnsType.Srv:
                AddUInt16(0);
                AddUInt16(0);
                AddUInt16(record.Port);
                AddName(record.Target);
                break;
            case DnsType.Txt:
                foreach (byte[] text in record.Texts)
                {
                    _bytes.Add(checked((byte)text.Length));
                    _bytes.AddRange(text);
                }

                if (record.Texts.Count == 0)
                    _bytes.Add(0); // at least one, if an empty one
                break;
            case DnsType.A or DnsType.Aaaa:
                _bytes.AddRange((record.Address ?? IPAddress.Any).GetAddressBytes());
                break;
            default:
                throw new ArgumentException($"Records of the type {record.Type} are not written.", nameof(record));
        }
    }

    /// <summary>Writes a name: as many of its last labels as were written before are pointed to.</summary>
    private void AddName(string name)
    {
        List<byte[]> labels = DnsNames.Split(name);
        for (int i = 0; i < labels.Count; i++)
        {
            string rest = string.Concat(labels.Skip(i).Select(static label => (char)label.Length + Encoding.Latin1.GetString(label))); // as on the wire: a label may hold a dot
            if (_names.TryGetValue(rest, out int at))
            {
                AddUInt16((ushort)(0xc000 | at));
                return;
            }

            if (_bytes.Count <= LastPointer)
                _names.Add(rest, _bytes.Count);
            _bytes.Add((byte)labels[i].Length);
            _bytes.AddRange(labels[i]);
        }

        _bytes.Add(0);
    }

    private void AddUInt16(ushort value)
    {
        _bytes.Add((byte)(value >> 8));
        _bytes.Add((byte)value);
    }
}
