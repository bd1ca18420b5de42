using System.Text.Json;
using P2P.Core.Content;
using P2P.Core.Primitives;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>Goal: sound archives of other tools are read, damaged ones refused with a sentence. Method: their fixtures, and archives made here with one thing wrong.</summary>
[TestClass]
public sealed class CarReaderTests
{
    private static readonly Cid Hello = Cid.OfRaw("hello"u8);
    private static readonly Cid Inside = Identity(Cid.RawCodec, "here"u8);

    [TestMethod]
    [Vectors]
    [DataRow("carv1-basic", 1)]
    [DataRow("carv2-basic", 2)]
    public async Task The_archives_of_the_specification_are_read_with_their_offsets(string name, int version)
    {
        using var expected = JsonDocument.Parse(await File.ReadAllTextAsync(Vectors.Path("car", name + ".json")));
        await using FileStream file = File.OpenRead(Vectors.Path("car", name + ".car"));
        (CarReader reader, var blocks) = await CarFixture.ReadAsync(file);

        Assert.AreEqual(version, reader.Version);
        JsonElement header = expected.RootElement.GetProperty("header");
        CollectionAssert.AreEqual(header.GetProperty("roots").EnumerateArray().Select(CidOf).ToList(), reader.Roots.ToList());
        List<JsonElement> sections = [.. expected.RootElement.GetProperty("blocks").EnumerateArray()];
        Assert.HasCount(sections.Count, blocks);
        foreach ((JsonElement section, (Cid cid, byte[] bytes, long start, long at)) in sections.Zip(blocks))
        {
            Assert.AreEqual(CidOf(section.GetProperty("cid")), cid);
            Assert.AreEqual(section.GetProperty("blockLength").GetInt32(), bytes.Length);
            Assert.AreEqual((section.GetProperty("offset").GetInt64(), section.GetProperty("blockOffset").GetInt64()), (start, at));
        }
    }

    [TestMethod]
    [Vectors]
    [DataRow("go-car/sample-v1.car", 1, 1049, 1)]
    [DataRow("go-car/sample-wrapped-v2.car", 2, 1049, 1)]
    [DataRow("go-car/sample-v2-indexless.car", 2, 1049, 1)]
    [DataRow("go-car/sample-unixfs-v2.car", 2, 3, 1)]
    [DataRow("go-car/sample-rw-bs-v2.car", 2, 3, 3)]
    [DataRow("go-car/simple-unixfs.car", 1, 22, 1)]
    [DataRow("go-car/simple-unixfs-missing-blocks.car", 1, 17, 1)]
    [DataRow("js-car/go.car", 1, 8, 2)]
    public async Task The_archives_of_other_tools_are_read(string name, int version, int count, int roots)
    {
        await using FileStream file = File.OpenRead(Vectors.Path("car", name));
        (CarReader reader, var blocks) = await CarFixture.ReadAsync(file);
        Assert.AreEqual((version, count, roots), (reader.Version, blocks.Count, reader.Roots.Count));
    }

    [TestMethod]
    [Vectors]
    public async Task Every_archive_of_the_gateway_conformance_suite_is_read()
    {
        string[] files = Directory.GetFiles(Vectors.Path("gateway-conformance", "fixtures"), "*.car", SearchOption.AllDirectories);
        Assert.IsGreaterThan(20, files.Length);
        foreach (string path in files)
        {
            await using FileStream file = File.OpenRead(path);
            (CarReader reader, var blocks) = await CarFixture.ReadAsync(file);
            Assert.IsTrue(blocks.Count > 0 && reader.Roots.Count > 0, path);
        }
    }

    [TestMethod]
    [Vectors]
    [DataRow("badheaderlength.car", "header")]
    [DataRow("badsectionlength.car", "section")]
    [DataRow("sample-corrupt-pragma.car", "header")]
    [DataRow("sample-rootless-v42.car", "version 42")]
    [DataRow("sample-v1-tailing-corrupt-section.car", "ends inside|valid id|bytes of block|a section claims")]
    [DataRow("sample-v1-with-zero-len-section2.car", "section in it is empty")]
    [DataRow("sample-v2-corrupt-data-and-index.car", "places the content")]
    public async Task Damaged_archives_are_refused_with_a_sentence(string name, string expected)
    {
        byte[] bytes = await File.ReadAllBytesAsync(Vectors.Path("car", "go-car", name));
        foreach (Stream source in (Stream[])[new MemoryStream(bytes), new CarFixture.Pieces(bytes)])
        {
            P2PException fault = await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(source));
            Assert.AreEqual(P2PErrorCode.Integrity, fault.Code);
            Assert.MatchesRegex(expected, fault.Message);
        }
    }

    [TestMethod]
    [Vectors]
    public async Task Zeros_end_an_archive_only_where_padding_is_allowed()
    {
        await using FileStream file = File.OpenRead(Vectors.Path("car", "go-car", "sample-v1-with-zero-len-section2.car"));
        (_, var blocks) = await CarFixture.ReadAsync(file, allowPadding: true);
        Assert.HasCount(20, blocks);
    }

    [TestMethod]
    public async Task A_reader_does_not_care_where_the_pieces_end()
    {
        byte[] archive = [.. Header(Hello, Inside), .. Section(Hello, "hello"u8), .. Section(Inside, "here"u8), .. Section(Cid.OfDagPb([]), []), .. Section(Hello, "hello"u8)];
        byte[] wrapped = Wrap(archive, padding: 7, index: [1, 2, 3]);
        foreach (byte[] bytes in (byte[][])[archive, wrapped])
        {
            string whole = await DescribeAsync(new MemoryStream(bytes));
            StringAssert.Contains(whole, Hello.ToString());
            Assert.AreEqual(whole, await DescribeAsync(new CarFixture.Pieces(bytes, [.. Enumerable.Range(1, bytes.Length - 1)])), "a byte at a time");
            for (int cut = 1; cut < bytes.Length; cut++)
                Assert.AreEqual(whole, await DescribeAsync(new CarFixture.Pieces(bytes, cut)), $"cut at {cut}");
        }
    }

    [TestMethod]
    public async Task An_archive_that_ends_early_is_refused_but_between_two_blocks()
    {
        byte[] header = Header(Hello);
        byte[] archive = [.. header, .. Section(Hello, "hello"u8), .. Section(Inside, "here"u8)];
        HashSet<int> ends = [header.Length, header.Length + Section(Hello, "hello"u8).Length];
        for (int length = 0; length < archive.Length; length++)
        {
            foreach (Stream source in (Stream[])[new MemoryStream(archive[..length]), new CarFixture.Pieces(archive[..length])])
            {
                if (ends.Contains(length))
                    await CarFixture.ReadAsync(source);
                else
                    Assert.AreEqual(P2PErrorCode.Integrity, (await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(source))).Code, $"{length} bytes");
            }
        }

        byte[] wrapped = Wrap(archive, padding: 0, index: []);
        for (int length = 0; length < wrapped.Length; length++)
        {
            int cut = length;
            await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(new MemoryStream(wrapped[..cut])), $"{length} bytes of version 2");
        }
    }

    [TestMethod]
    public async Task What_a_version_2_header_says_is_checked_against_the_stream()
    {
        byte[] inner = [.. Header(Hello), .. Section(Hello, "hello"u8)];
        (int At, ulong Value, string Why)[] wrong =
        [
            (27, 50, "content before the end of the header"), (27, ulong.MaxValue, "content beyond any file"), (27, long.MaxValue, "its end beyond any file"),
            (27, 1000, "content behind the end"), (35, 0, "no content"), (35, ulong.MaxValue, "more than any file"), (35, 10_000, "more than there is"), (43, 60, "index inside the content"),
        ];
        foreach ((int at, ulong value, string why) in wrong)
        {
            byte[] bytes = Wrap(inner, padding: 0, index: []);
            BitConverter.TryWriteBytes(bytes.AsSpan(at), value);
            P2PException fault = await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(new MemoryStream(bytes)), why);
            Assert.AreEqual(P2PErrorCode.Integrity, fault.Code, why);
        }

        P2PException nested = await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(new MemoryStream(Wrap(Wrap(inner, 0, []), 0, []))));
        StringAssert.Contains(nested.Message, "version 2");
    }

    [TestMethod]
    public async Task A_block_whose_bytes_are_not_what_its_id_names_is_refused()
    {
        byte[] archive = [.. Header(Hello), .. Section(Hello, "hellp"u8)];
        P2PException fault = await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(new MemoryStream(archive)));
        StringAssert.Contains(fault.Message, Hello.ToString());

        byte[] claim = new byte[UVarint.MaxBytes];
        foreach (ulong length in (ulong[])[CarReader.MaxSectionBytes + 1, (3 << 20) + (ulong)Hello.ByteLength, UVarint.MaxValue])
        {
            byte[] large = [.. Header(Hello), .. claim[..UVarint.Write(claim, length)], .. Hello.ToArray()];
            fault = await Assert.ThrowsExactlyAsync<P2PException>(() => CarFixture.ReadAsync(new CarFixture.Pieces(large)));
            Assert.AreEqual(P2PErrorCode.Integrity, fault.Code);
        }
    }

    [TestMethod]
    public async Task Roots_may_be_none_and_headers_have_one_form()
    {
        Assert.IsEmpty((await CarFixture.ReadAsync(new MemoryStream(Header()))).Reader.Roots);
        byte[] header = Header(Hello);
        Assert.AreEqual(Hello, (await CarFixture.ReadAsync(new MemoryStream(header))).Reader.Roots[0]);
        for (int bit = 8; bit < header.Length * 8; bit++)
        {
            byte[] damaged = [.. header];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                (CarReader reader, _) = await CarFixture.ReadAsync(new MemoryStream(damaged));
                Assert.AreNotEqual(Hello, reader.Roots[0], $"bit {bit} means something");
            }
            catch (P2PException fault)
            {
                Assert.AreEqual(P2PErrorCode.Integrity, fault.Code);
            }
        }
    }

    private static Cid CidOf(JsonElement link) => Cid.Parse(link.GetProperty("/").GetString()!);

    private static Cid Identity(ulong codec, ReadOnlySpan<byte> bytes) =>
        Cid.TryCreate(1, codec, [0, (byte)bytes.Length, .. bytes], out Cid cid) ? cid : throw new AssertFailedException();

    private static byte[] Header(params Cid[] roots)
    {
        byte[] header = CarHeader.Encode(roots);
        byte[] length = new byte[UVarint.MaxBytes];
        return [.. length[..UVarint.Write(length, (ulong)header.Length)], .. header];
    }

    private static byte[] Section(Cid cid, ReadOnlySpan<byte> block)
    {
        byte[] length = new byte[UVarint.MaxBytes];
        return [.. length[..UVarint.Write(length, (ulong)(cid.ByteLength + block.Length))], .. cid.ToArray(), .. block];
    }

    private static byte[] Wrap(byte[] payload, int padding, byte[] index)
    {
        ulong offset = (ulong)(51 + padding);
        ulong indexOffset = index.Length == 0 ? 0 : offset + (ulong)payload.Length;
        return
        [
            .. CarHeader.Pragma, .. new byte[16], .. BitConverter.GetBytes(offset), .. BitConverter.GetBytes((ulong)payload.Length), .. BitConverter.GetBytes(indexOffset),
            .. new byte[padding], .. payload, .. index,
        ];
    }

    private static async Task<string> DescribeAsync(Stream source)
    {
        (CarReader reader, var blocks) = await CarFixture.ReadAsync(source);
        return $"{reader.Version}: {string.Join(' ', reader.Roots)}; {string.Join(' ', blocks.Select(block => $"{block.Cid} {Convert.ToHexString(block.Bytes)} {block.Section} {block.Block}"))}";
    }
}
