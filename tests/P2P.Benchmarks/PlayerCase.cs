using System.Diagnostics;
using System.Net;
using P2P.Core;
using P2P.Testing;

namespace P2P.Benchmarks;

/// <summary>
/// What a video player does with a file of 256 MiB behind a relay with a 63 ms round trip and 400 Mbit/s: the head, the index at the end, back, playing at
/// 8 Mbit/s, seeks. Then the same file read from one end to the other, beside a fetch of it.
/// </summary>
internal static class PlayerCase
{
    private const long Bytes = 256L << 20;
    private const int HeadBytes = 64 << 10, IndexBytes = 256 << 10, PieceBytes = 100_000;
    private static readonly TimeSpan PieceTime = TimeSpan.FromMilliseconds(100); // 8 Mbit/s
    private static readonly TimeSpan StallFrom = TimeSpan.FromMilliseconds(100); // a player buffers at least one piece
    private static readonly DelayRelayOptions Line = new() { RoundTrip = TimeSpan.FromMilliseconds(63), BitsPerSecond = 400_000_000 };

    public static async Task<int> RunAsync(int rounds)
    {
        string file = Bench.RandomFile(Bytes);
        Bench.Warm(file);
        await using P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("player-a")));
        Share share = await sharer.ShareAsync(file);
        await using var relay = DelayRelay.Start(EndPointOf(sharer), Line);
        ShareLink link = ShareLink.Parse($"p2p://{share.Root}/x?peer=/ip4/127.0.0.1/tcp/{relay.EndPoint.Port}/p2p/{sharer.Id}");
        byte[] content = await File.ReadAllBytesAsync(file);

        List<Playing> played = [];
        List<double> streamed = [], fetched = [];
        for (int round = 0; round < rounds; round++)
        {
            played.Add(await PlayAsync(link, content));
            streamed.Add(await StreamAsync(link, content));
            fetched.Add(await FetchAsync(link));
            Console.Error.WriteLine($"round {round + 1}: first byte {played[^1].First.TotalMilliseconds:F0} ms, seeks {string.Join(", ", played[^1].Seeks.Select(seek => $"{seek.TotalMilliseconds:F0}"))} ms, stream {Bench.F(streamed[^1])} s, fetch {Bench.F(fetched[^1])} s");
        }

        Bench.Row("| player, 256 MiB, 63 ms, 400 Mbit/s | median |");
        Bench.Row("|---|---|");
        Bench.Row($"| open to first byte, new connection | {Ms(played, one => one.First)} |");
        Bench.Row($"| jump to the index at the end, 256 KiB | {Ms(played, one => one.Index)} |");
        Bench.Row($"| back to the head | {Ms(played, one => one.Back)} |");
        for (int i = 0; i < 3; i++)
        {
            int seek = i;
            Bench.Row($"| seek to {30 * (i + 1)} % | {Ms(played, one => one.Seeks[seek])} |");
        }

        Bench.Row($"| stalls while playing 8 Mbit/s | {Bench.Median(played.Select(one => (double)one.Stalls)):F0} of {played[0].Pieces} pieces |");
        Bench.Row($"| bytes fetched for each byte read | {Bench.F(Bench.Median(played.Select(one => (double)one.Fetched / one.Read)))} ({Bench.F(played[0].Fetched / 1e6, "F1")} MB for {Bench.F(played[0].Read / 1e6, "F1")} MB) |");
        double stream = Bench.Median(streamed), fetch = Bench.Median(fetched);
        Bench.Row($"| read from end to end | {Bench.F(Bytes / 1e6 / stream, "F1")} MB/s, a fetch {Bench.F(Bytes / 1e6 / fetch, "F1")} MB/s, {Bench.F(100 * fetch / stream, "F0")} % |");
        return 0;
    }

    private static async Task<Playing> PlayAsync(ShareLink link, byte[] content)
    {
        await using P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("player-b")));
        var playing = new Playing();
        var clock = Stopwatch.StartNew();
        await using Stream stream = await node.OpenReadAsync(link);
        playing.First = await ReadAsync(stream, content, 0, HeadBytes, playing, clock);
        playing.Index = await ReadAsync(stream, content, Bytes - (1 << 20) - 12_345, IndexBytes, playing);
        playing.Back = await ReadAsync(stream, content, HeadBytes, PieceBytes, playing);
        await PlayOnAsync(stream, content, HeadBytes + PieceBytes, 30, playing);
        foreach (int percent in (int[])[30, 60, 90])
        {
            long place = Bytes / 100 * percent;
            playing.Seeks.Add(await ReadAsync(stream, content, place, PieceBytes, playing));
            await PlayOnAsync(stream, content, place + PieceBytes, 15, playing);
        }

        playing.Fetched = node.Status.BytesFetched;
        return playing;
    }

    private static async Task PlayOnAsync(Stream stream, byte[] content, long from, int pieces, Playing playing)
    {
        using var timer = new PeriodicTimer(PieceTime);
        for (int i = 0; i < pieces; i++)
        {
            TimeSpan waited = await ReadAsync(stream, content, from + ((long)i * PieceBytes), PieceBytes, playing);
            playing.Pieces++;
            if (waited > StallFrom)
                playing.Stalls++;
            await timer.WaitForNextTickAsync();
        }
    }

    private static async Task<TimeSpan> ReadAsync(Stream stream, byte[] content, long from, int count, Playing playing, Stopwatch? clock = null)
    {
        clock ??= Stopwatch.StartNew();
        byte[] read = new byte[count];
        stream.Position = from;
        await stream.ReadExactlyAsync(read);
        TimeSpan elapsed = clock.Elapsed;
        if (!content.AsSpan((int)from, count).SequenceEqual(read))
            throw new InvalidOperationException($"Wrong bytes at {from}.");
        playing.Read += count;
        return elapsed;
    }

    private static async Task<double> StreamAsync(ShareLink link, byte[] content)
    {
        await using P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("player-b")));
        var clock = Stopwatch.StartNew();
        await using Stream stream = await node.OpenReadAsync(link);
        byte[] buffer = new byte[1 << 20];
        int done = 0;
        for (int count; (count = await stream.ReadAsync(buffer)) > 0; done += count)
        {
            if (!content.AsSpan(done, count).SequenceEqual(buffer.AsSpan(0, count)))
                throw new InvalidOperationException($"Wrong bytes at {done}.");
        }

        return done == content.Length ? clock.Elapsed.TotalSeconds : throw new InvalidOperationException("The stream ended early.");
    }

    private static async Task<double> FetchAsync(ShareLink link)
    {
        await using P2PNode node = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Bench.Fresh("player-b")));
        var clock = Stopwatch.StartNew();
        await node.FetchAsync(link, Bench.Fresh("player-out.bin"));
        return clock.Elapsed.TotalSeconds;
    }

    private static string Ms(List<Playing> played, Func<Playing, TimeSpan> of) => $"{Bench.F(Bench.Median(played.Select(one => of(one).TotalMilliseconds)), "F0")} ms";

    private static IPEndPoint EndPointOf(P2PNode node)
    {
        string[] parts = node.Status.Addresses[0].ToString().Split('/');
        return new IPEndPoint(IPAddress.Parse(parts[2]), int.Parse(parts[4], System.Globalization.CultureInfo.InvariantCulture));
    }

    private sealed class Playing
    {
        public TimeSpan First { get; set; }

        public TimeSpan Index { get; set; }

        public TimeSpan Back { get; set; }

        public List<TimeSpan> Seeks { get; } = [];

        public int Pieces { get; set; }

        public int Stalls { get; set; }

        public long Read { get; set; }

        public long Fetched { get; set; }
    }
}
