using System.Buffers.Binary;

namespace P2P.Core.Primitives;

/// <summary>
/// Walks the fields of one protobuf message held in memory, without copying and without ever reading past it.
/// For the messages whose bytes we control exactly (dag-pb, UnixFS, bitswap, keys, links); the rest uses generated code.
/// </summary>
/// <remarks>A method that returns false has met malformed input; the reader is then of no further use. A length is checked against the bytes that are there before it is used.</remarks>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Whether the whole message was read.</summary>
    public readonly bool IsAtEnd => Position == _message.Length;

    /// <summary>Reads a field's number and wire type. Field number 0 and groups are malformed.</summary>
    public bool TryReadTag(out int field, out WireType type)
    {
        field = 0;
        type = default;
        if (!TryReadVarint(out ulong tag) || tag > uint.MaxValue)
        {
            return false;
        }

        field = (int)(tag >> 3);
        type = (WireType)(tag & 7);
        return field != 0 && type is WireType.Varint or WireType.Fixed64 or WireType.Bytes or WireType.Fixed32;
    }

    /// <summary>Reads a varint of up to ten bytes; forms that are not the shortest are tolerated, as protobuf demands, bits beyond 64 are not.</summary>
    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        ReadOnlySpan<byte> rest = _message[Position..];
        for (int i = 0; i < rest.Length && i < 10; i++)
        {
            byte current = rest[i];
            if (i == 9 && current > 1)
            {
                return false;
            }

            value |= (ulong)(current & 0x7F) << (7 * i);
            if (current < 0x80)
            {
                Position += i + 1;
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads a length and that many bytes, as a view of the message.</summary>
    public bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        value = default;
        int start = Position;
        if (!TryReadVarint(out ulong length) || length > (ulong)(_message.Length - Position))
        {
            Position = start;
            return false;
        }

        value = _message.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }

    /// <summary>Reads a fixed 64-bit value.</summary>
    public bool TryReadFixed64(out ulong value)
    {
        if (!BinaryPrimitives.TryReadUInt64LittleEndian(_message[Position..], out value))
        {
            return false;
        }

        Position += sizeof(ulong);
        return true;
    }

    /// <summary>Reads a fixed 32-bit value.</summary>
    public bool TryReadFixed32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(_message[Position..], out value))
        {
            return false;
        }

        Position += sizeof(uint);
        return true;
    }

    /// <summary>Skips the value of a field that is not known here.</summary>
    public bool TrySkip(WireType type) => type switch
    {
        WireType.Varint => TryReadVarint(out _),
        WireType.Fixed64 => TryReadFixed64(out _),
        WireType.Bytes => TryReadBytes(out _),
        WireType.Fixed32 => TryReadFixed32(out _),
        _ => false,
    };
}
