using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2P.Core;
using P2P.Testing;

namespace P2P.Benchmarks;

/// <summary>256 MiB through a relay with a 63 ms round trip and 400 Mbit/s, beside one bare TCP stream through the same relay.</summary>
internal static class RelayCase
{
    private const long Bytes = 256L << 20;
    private static readonly DelayRelayOptions Line = new() { RoundTrip = TimeSpan.FromMilliseconds(63), BitsPerSecond = 400_000_000 };

    public static async Task<int> RunAsync(int rounds)
    {
        string file = Bench.RandomFile(Bytes);
        Bench.Warm(file);
        List<double> ours = [], bare = [];
        for (int round = 0; round < rounds; round++)
        {
            bare.Add(await BareAsync());
            ours.Add(await FetchAsync(file));
            Console.Error.WriteLine($"round {round + 1}: ours {Bench.F(ours[^1])} s, bare {Bench.F(bare[^1])} s");
        }

        double own = Bench.Median(ours), least = Bench.Median(bare);
        Bench.Row($"| fetch 256 MiB, 63 ms, 400 Mbit/s | {Bench.F(Bytes / 1e6 / own, "F1")} MB/s | bare TCP stream {Bench.F(Bytes / 1e6 / least, "F1")} MB/s | {Bench.F(100 * least / own, "F0")} % |");
        return 0;
    }

    private static async Task<double> FetchAsync(string file)
    {
        await using P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("relay-a")));
        await using P2PNode fetcher = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("relay-b")));
        Share share = await sharer.ShareAsync(file);
        await using var relay = DelayRelay.Start(EndPointOf(sharer), Line);
        ShareLink link = ShareLink.Parse($"p2p://{share.Root}/x?peer=/ip4/127.0.0.1/tcp/{relay.EndPoint.Port}/p2p/{sharer.Id}");
        string output = Bench.Fresh("relay-out.bin");
        var clock = Stopwatch.StartNew();
        await fetcher.FetchAsync(link, output);
        double seconds = clock.Elapsed.TotalSeconds;
        if (!await FetchCase.SameAsync(file, output))
            throw new InvalidOperationException("The fetched file is not the shared one.");
        return seconds;
    }

    private static async Task<double> BareAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var relay = DelayRelay.Start((IPEndPoint)listener.LocalEndpoint, Line);
        Task send = SendAsync(listener);
        using var client = new TcpClient { NoDelay = true };
        var clock = Stopwatch.StartNew();
        await client.ConnectAsync(relay.EndPoint);
        byte[] buffer = new byte[1 << 20];
        await client.GetStream().WriteAsync(buffer.AsMemory(0, 1)); // the request
        for (long got = 0; got < Bytes;)
        {
            int count = await client.GetStream().ReadAsync(buffer);
            if (count == 0)
                throw new InvalidOperationException("The bare stream ended early.");
            got += count;
        }

        double seconds = clock.Elapsed.TotalSeconds;
        await send;
        return seconds;
    }

    private static async Task SendAsync(TcpListener listener)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        byte[] piece = new byte[1 << 20];
        await client.GetStream().ReadExactlyAsync(piece.AsMemory(0, 1));
        for (long left = Bytes; left > 0; left -= piece.Length)
            await client.GetStream().WriteAsync(piece);
    }

    private static IPEndPoint EndPointOf(P2PNode node)
    {
        string[] parts = node.Status.Addresses[0].ToString().Split('/');
        return new IPEndPoint(IPAddress.Parse(parts[2]), int.Parse(parts[4], System.Globalization.CultureInfo.InvariantCulture));
    }
}
