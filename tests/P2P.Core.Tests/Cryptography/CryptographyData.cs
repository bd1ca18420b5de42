using System.Buffers.Binary;
using System.Security.Cryptography;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Bytes that look random and are the same in every run and on every platform: SHA-256 of a counter.</summary>
internal static class CryptographyData
{
    internal static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        byte[] block = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(block, seed);
        for (int i = 0; i < length; i += SHA256.HashSizeInBytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(4), i);
            byte[] hash = SHA256.HashData(block);
            hash.AsSpan(0, Math.Min(hash.Length, length - i)).CopyTo(bytes.AsSpan(i));
        }

        return bytes;
    }

    /// <summary>32 bytes: the first cases are the patterns where carries and recodings go wrong, then any.</summary>
    internal static byte[] ScalarWithEdges(int index)
    {
        byte[] fill = [0x00, 0xff, 0x77, 0x88, 0x78, 0x87, 0x80, 0x7f, 0x01, 0x55, 0xaa];
        if (index >= fill.Length)
            return Bytes(index, 32);
        byte[] bytes = new byte[32];
        bytes.AsSpan().Fill(fill[index]);
        return bytes;
    }
}
