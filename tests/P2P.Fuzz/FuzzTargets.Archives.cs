using System.Globalization;
using System.Text;
using P2P.Core;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Primitives;

namespace P2P.Fuzz;

/// <summary>The decoders of archives and of the links between blocks.</summary>
internal static partial class FuzzTargets
{
    private static IEnumerable<FuzzTarget> Archives =>
    [
        new("car", [Archive(), [.. CarHeader.Pragma, .. new byte[16], .. BitConverter.GetBytes(51UL), .. BitConverter.GetBytes((ulong)Archive().Length), .. new byte[8], .. Archive()]], Cars),
        new("car-header", [CarHeader.Encode([Raw, Version0]), [0xA1, 0x67, .. "version"u8, 0x02]], CarHeaders),
        new("dag-cbor", [CarHeader.Encode([Raw, Version0]), [0x83, 0x01, 0x20, 0xFB, 0, 0, 0, 0, 0, 0, 0, 0]], CborLinks),
    ];

    private static byte[] Archive()
    {
        byte[] header = CarHeader.Encode([Raw]);
        return [.. Prefixed(header), .. Prefixed([.. Raw.ToArray(), .. "hello"u8]), .. Prefixed([1, 0x55, 0, 2, 7, 8, 7, 8])];
    }

    private static byte[] Prefixed(byte[] bytes)
    {
        byte[] length = new byte[UVarint.MaxBytes];
        return [.. length[..UVarint.Write(length, (ulong)bytes.Length)], .. bytes];
    }

    private static void Cars(byte[] input)
    {
        var pool = new BlockBufferPool(keptBytesMax: 0);
        string whole = ReadCar(pool, new MemoryStream(input));
        Assert.AreEqual(whole, ReadCar(pool, new MemoryStream(input)), "the same twice");
        Assert.AreEqual(0, pool.RentedCount, "no buffer is lost, whatever came");
    }

    // all of it completes at once: a stream in memory never waits
    private static string ReadCar(BlockBufferPool pool, Stream source)
    {
        var found = new StringBuilder();
        try
        {
            CarReader reader = Complete(CarReader.OpenAsync(source, pool, allowPadding: true, CancellationToken.None));
            while (Complete(reader.ReadAsync(CancellationToken.None).AsTask()) is { } block)
            {
                using (block)
                {
                    Assert.IsTrue(block.Unverified is not null || BlockVerification.Verify(block.Cid, block.Block.Span));
                    found.Append(CultureInfo.InvariantCulture, $"{block.Cid} {block.BlockOffset};");
                }
            }

            return found.Append("end").ToString();
        }
        catch (P2PException fault)
        {
            Assert.AreEqual(P2PErrorCode.Integrity, fault.Code);
            return found.Append(fault.Message).ToString();
        }
    }

    private static T Complete<T>(Task<T> task)
    {
        Assert.IsTrue(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }

    private static void CarHeaders(byte[] input)
    {
        if (CarHeader.TryDecode(input, out ulong version, out List<Cid>? roots, out _) && version == 1 && roots is not null)
        {
            byte[] encoded = CarHeader.Encode(roots);
            Assert.IsTrue(CarHeader.TryDecode(encoded, out ulong same, out List<Cid>? sameRoots, out _));
            Assert.AreEqual(1UL, same);
            CollectionAssert.AreEqual(roots, sameRoots);
        }
    }

    private static void CborLinks(byte[] input)
    {
        var links = new List<Cid>();
        _ = DagCbor.TryAddLinks(input, links);
        Assert.IsLessThanOrEqualTo(input.Length / 4, links.Count);
    }
}
