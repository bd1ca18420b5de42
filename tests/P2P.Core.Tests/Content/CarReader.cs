using P2P.Core.Primitives;

namespace P2P.Core.Tests.Content;

/// <summary>Reads the blocks of a CAR version 1 fixture; the header is skipped.</summary>
internal static class CarReader
{
    public static void Load(string path, MemoryBlocks into)
    {
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        bool isHeader = true;
        while (!rest.IsEmpty)
        {
            Assert.AreEqual(System.Buffers.OperationStatus.Done, UVarint.TryRead(rest, out ulong length, out int consumed));
            ReadOnlySpan<byte> section = rest.Slice(consumed, (int)length);
            rest = rest[(consumed + (int)length)..];
            if (!isHeader)
            {
                Assert.IsTrue(Cid.TryFromBytes(section, out Cid cid, out int cidLength));
                into.Add(in cid, section[cidLength..]);
            }

            isHeader = false;
        }
    }
}
