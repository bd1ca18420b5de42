namespace P2P.Core.Identity;

/// <summary>
/// The protobuf around libp2p keys, { Type = 1 varint; Data = 2 bytes }. Peer ids are made from these bytes, so there is exactly one valid form:
/// both fields, in this order, lengths minimal, nothing else.
/// </summary>
internal static class KeyEncoding
{
    private const byte TypeTag = 0x08;
    private const byte DataTag = 0x12;

    internal static byte[] Encode(KeyType type, ReadOnlySpan<byte> data)
    {
        int lengthBytes = data.Length < 0x80 ? 1 : 2;
        byte[] encoded = new byte[3 + lengthBytes + data.Length];
        encoded[0] = TypeTag;
        encoded[1] = (byte)type;
        encoded[2] = DataTag;
        if (lengthBytes == 1)
        {
            encoded[3] = (byte)data.Length;
        }
        else
        {
            encoded[3] = (byte)(data.Length | 0x80);
            encoded[4] = checked((byte)(data.Length >> 7));
        }

        data.CopyTo(encoded.AsSpan(3 + lengthBytes));
        return encoded;
    }

    internal static bool TryDecode(ReadOnlySpan<byte> encoded, out KeyType type, out ReadOnlySpan<byte> data)
    {
        type = default;
        data = default;
        if (encoded.Length < 4 || encoded[0] != TypeTag || encoded[1] > (byte)KeyType.Ecdsa || encoded[2] != DataTag)
            return false;
        type = (KeyType)encoded[1];

        int length = encoded[3], start = 4;
        if (length >= 0x80)
        {
            // Two bytes reach 16,383, more than any key has; a second byte of 0 would not be minimal.
            if (encoded.Length < 5 || encoded[4] is 0 or >= 0x80)
                return false;
            length = (length & 0x7f) | (encoded[4] << 7);
            start = 5;
        }

        if (encoded.Length - start != length)
            return false;
        data = encoded[start..];
        return true;
    }
}
