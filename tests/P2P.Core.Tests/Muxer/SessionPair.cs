using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Muxer;

namespace P2P.Core.Tests.Muxer;

/// <summary>Two sessions joined in memory.</summary>
internal sealed class SessionPair : IAsyncDisposable
{
    public SessionPair(YamuxOptions? options = null, TimeProvider? time = null, int? chunkSeed = null)
    {
        (DialerChannel, ListenerChannel) = PlainChannel.NewPair(chunkSeed);
        Dialer = new YamuxSession(DialerChannel, isDialer: true, options ?? new YamuxOptions(), time ?? TimeProvider.System, NullLogger.Instance);
        Listener = new YamuxSession(ListenerChannel, isDialer: false, options ?? new YamuxOptions(), time ?? TimeProvider.System, NullLogger.Instance);
        Dialer.Start();
        Listener.Start();
    }

    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    public PlainChannel DialerChannel { get; }

    public PlainChannel ListenerChannel { get; }

    public YamuxSession Dialer { get; }

    public YamuxSession Listener { get; }

    public async Task<(YamuxStream Opened, YamuxStream Accepted)> OpenAsync()
    {
        YamuxStream opened = await Dialer.OpenStreamAsync(CancellationToken.None);
        YamuxStream accepted = await Listener.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(Patience) ?? throw new IOException("no stream came");
        return (opened, accepted);
    }

    public async ValueTask DisposeAsync()
    {
        await Dialer.DisposeAsync();
        await Listener.DisposeAsync();
    }

    /// <summary>Reads to the end and gives the number and the hash of the bytes.</summary>
    public static async Task<(long Count, string Hash)> ReadAllAsync(PipeReader reader)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = 0;
        while (true)
        {
            ReadResult read = await reader.ReadAsync().AsTask().WaitAsync(Patience);
            foreach (ReadOnlyMemory<byte> part in read.Buffer)
                hash.AppendData(part.Span);
            count += read.Buffer.Length;
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return (count, Convert.ToHexString(hash.GetHashAndReset()));
        }
    }

    /// <summary>Reads exactly so many bytes.</summary>
    public static async Task<byte[]> ReadAsync(PipeReader reader, int count)
    {
        ReadResult read = await reader.ReadAtLeastAsync(count).AsTask().WaitAsync(Patience);
        Assert.IsTrue(read.Buffer.Length >= count, $"only {read.Buffer.Length} of {count} bytes came");
        byte[] bytes = read.Buffer.Slice(0, count).ToArray();
        reader.AdvanceTo(read.Buffer.GetPosition(count));
        return bytes;
    }

    /// <summary>Writes random bytes in random steps and gives their hash.</summary>
    public static async Task<string> WriteRandomAsync(PipeWriter writer, long count, Random random)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (count > 0)
        {
            Memory<byte> memory = writer.GetMemory(random.Next(3) == 0 ? random.Next(1, 65508) : 0);
            int step = (int)Math.Min(count, random.Next(1, memory.Length + 1));
            random.NextBytes(memory.Span[..step]);
            hash.AppendData(memory.Span[..step]);
            writer.Advance(step);
            count -= step;
            if (random.Next(2) == 0)
                await writer.FlushAsync().AsTask().WaitAsync(Patience);
        }
        await writer.FlushAsync().AsTask().WaitAsync(Patience);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
