using P2P.Testing;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: reading costs the network what is read, once for all readers. Method: two nodes in memory with a clock that stands still; bytes fetched are counted.</summary>
[TestClass]
public sealed class ReadingTests
{
    private const int MiB = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("p2p-reading-").FullName;

    [TestCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public async Task A_little_from_the_middle_of_a_large_file_costs_a_block_or_two()
    {
        byte[] content = Write(64 * MiB);
        await using var network = new TestNetwork(1);
        (P2PNode reader, ShareLink link) = await StartAsync(network);
        await using Stream stream = await reader.OpenReadAsync(link);
        byte[] read = new byte[64 << 10];
        foreach (int from in (int[])[(32 * MiB) + 1000, (48 * MiB) - 1000])
        {
            long before = reader.Status.BytesFetched;
            stream.Position = from;
            await stream.ReadExactlyAsync(read);
            Assert.IsTrue(content.AsSpan(from, read.Length).SequenceEqual(read));
            Assert.IsLessThanOrEqualTo((2L * MiB) + 100_000, reader.Status.BytesFetched - before);
        }
    }

    [TestMethod]
    public async Task Several_readers_of_the_same_content_fetch_it_once()
    {
        byte[] content = Write(12 * MiB);
        await using var network = new TestNetwork(2);
        (P2PNode reader, ShareLink link) = await StartAsync(network);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using Stream stream = await reader.OpenReadAsync(link);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy);
            Assert.IsTrue(content.AsSpan().SequenceEqual(copy.ToArray()));
        }));
        Assert.IsLessThan(content.Length + MiB, reader.Status.BytesFetched);
    }

    [TestMethod]
    public async Task Who_opens_again_a_moment_later_finds_what_was_read_and_later_does_not()
    {
        Write(8 * MiB);
        await using var network = new TestNetwork(3);
        (P2PNode reader, ShareLink link) = await StartAsync(network);
        await ReadHeadAsync(reader, link);
        long once = reader.Status.BytesFetched;
        network.Time.Advance(TimeSpan.FromSeconds(5));
        await ReadHeadAsync(reader, link);
        Assert.AreEqual(once, reader.Status.BytesFetched);
        network.Time.Advance(TimeSpan.FromSeconds(8)); // the first reader's ten seconds are over, not the second's
        await ReadHeadAsync(reader, link);
        Assert.AreEqual(once, reader.Status.BytesFetched);
        for (int i = 0; i < 20 && reader.Status.BytesFetched == once; i++) // the session ends beside us
        {
            network.Time.Advance(TimeSpan.FromSeconds(11));
            await ReadHeadAsync(reader, link);
        }

        Assert.IsGreaterThan(once, reader.Status.BytesFetched, "nobody read for longer than that");
    }

    [TestMethod]
    public async Task Back_and_forth_within_what_was_read_fetches_nothing()
    {
        byte[] content = Write(16 * MiB);
        await using var network = new TestNetwork(4);
        (P2PNode reader, ShareLink link) = await StartAsync(network);
        await using Stream stream = await reader.OpenReadAsync(link);
        byte[] read = new byte[1000];
        int[] places = [10, 15 * MiB, 5 * MiB, 9 * MiB];
        foreach (int from in places)
        {
            stream.Position = from;
            await stream.ReadExactlyAsync(read);
        }

        long before = reader.Status.BytesFetched;
        for (int i = 0; i < 40; i++)
        {
            int from = places[i % places.Length] + (i * 100);
            stream.Position = from;
            await stream.ReadExactlyAsync(read);
            Assert.IsTrue(content.AsSpan(from, read.Length).SequenceEqual(read));
        }

        Assert.AreEqual(before, reader.Status.BytesFetched);
    }

    [TestMethod]
    public async Task Two_slow_providers_do_not_send_the_same_twice()
    {
        byte[] content = Write(12 * MiB);
        await using P2PNode first = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Path.Combine(_folder, "a")));
        await using P2PNode second = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Path.Combine(_folder, "b")));
        await using P2PNode reader = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Path.Combine(_folder, "c")));
        Share share = await first.ShareAsync(Path.Combine(_folder, "film.bin"));
        await second.ShareAsync(Path.Combine(_folder, "film.bin"));
        var line = new DelayRelayOptions { RoundTrip = TimeSpan.FromMilliseconds(20), BitsPerSecond = 16_000_000 };
        await using var toFirst = DelayRelay.Start(EndPointOf(first), line);
        await using var toSecond = DelayRelay.Start(EndPointOf(second), line);
        var link = ShareLink.Parse($"p2p://{share.Root}/x?peer=/ip4/127.0.0.1/tcp/{toFirst.EndPoint.Port}/p2p/{first.Id}&peer=/ip4/127.0.0.1/tcp/{toSecond.EndPoint.Port}/p2p/{second.Id}");

        await using Stream stream = await reader.OpenReadAsync(link);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);

        Assert.IsTrue(content.AsSpan().SequenceEqual(copy.ToArray()));
        Assert.IsLessThan(content.Length * 3 / 2, toFirst.BytesForwarded + toSecond.BytesForwarded, "a block or two asked of both at the end are well, more are not");
    }

    [TestMethod]
    public async Task A_stream_that_nobody_disposed_ends_with_its_node()
    {
        Write(8 * MiB);
        await using var network = new TestNetwork(5);
        (P2PNode reader, ShareLink link) = await StartAsync(network);
        Stream stream = await reader.OpenReadAsync(link);
        await stream.ReadExactlyAsync(new byte[1000]);
        await reader.StopAsync();
        stream.Position = 4 * MiB;
        P2PException ended = await Assert.ThrowsExactlyAsync<P2PException>(() => stream.ReadExactlyAsync(new byte[1000]).AsTask());
        StringAssert.Contains(ended.Message, "stopped");
        await stream.DisposeAsync();
    }

    [TestMethod]
    public async Task A_second_link_to_the_same_content_brings_its_peers_along()
    {
        byte[] content = Write(4 * MiB);
        await using var network = new TestNetwork(6);
        (P2PNode reader, ShareLink link) = await StartAsync(network);
        var bare = ShareLink.Parse(link.Root.ToString());
        Task<Stream> waits = reader.OpenReadAsync(bare); // nobody is known who has it
        Assert.IsFalse(waits.IsCompleted);
        await using Stream second = await reader.OpenReadAsync(link);
        await using Stream first = await waits;
        byte[] read = new byte[1000];
        await first.ReadExactlyAsync(read);
        Assert.IsTrue(content.AsSpan(0, read.Length).SequenceEqual(read));
    }

    private static System.Net.IPEndPoint EndPointOf(P2PNode node)
    {
        string[] parts = node.Status.Addresses[0].ToString().Split('/');
        return new System.Net.IPEndPoint(System.Net.IPAddress.Parse(parts[2]), int.Parse(parts[4], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static async Task ReadHeadAsync(P2PNode reader, ShareLink link)
    {
        await using Stream stream = await reader.OpenReadAsync(link);
        await stream.ReadExactlyAsync(new byte[1000]);
    }

    private async Task<(P2PNode Reader, ShareLink Link)> StartAsync(TestNetwork network)
    {
        P2PNode sharer = await network.StartNodeAsync(), reader = await network.StartNodeAsync();
        Share share = await sharer.ShareAsync(Path.Combine(_folder, "film.bin"));
        return (reader, share.Link);
    }

    private byte[] Write(int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        File.WriteAllBytes(Path.Combine(_folder, "film.bin"), content);
        return content;
    }
}
