using System.Buffers;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Copies the verified bytes of one file to standard output.</summary>
internal static class ContentStreaming
{
    private const int BufferBytes = 1 << 20; // one block

    public static async Task CopyAsync(CommandContext context, P2PNode node, ShareLink link, string? path, ByteRange range)
    {
        try
        {
            await using Stream content = await node.OpenReadAsync(link, path, new StallView(context).Options(), context.Stopping);
            await CopyAsync(context, node, content, range.Of(content.Length));
        }
        catch (P2PException failure) when (StallView.IsTimeout(failure))
        {
            throw StallView.Explain(failure);
        }
    }

    private static async Task CopyAsync(CommandContext context, P2PNode node, Stream content, ByteRange range)
    {
        if (range.First > 0 && range.First >= content.Length)
            throw new UsageException($"The file has {content.Length} bytes, so byte {range.First} is behind its end.");
        long total = range.CountOf(content.Length), done = 0;
        content.Position = Math.Min(range.First, content.Length);

        // On a terminal the content itself is what the user wants to see, not a bar in the middle of it.
        bool showsBar = !context.Host.OutputIsTerminal;
        var rate = new RateMeter(context.Host.Time);
        long lastShown = context.Host.Time.GetTimestamp();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (done < total)
            {
                int count = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferBytes, total - done)), context.Stopping);
                if (count == 0)
                    throw new P2PException(P2PErrorCode.Integrity, $"The file ended after {done} of {total} bytes.");
                await context.Output.WriteAsync(buffer.AsMemory(0, count), context.Stopping);
                done += count;
                if (showsBar && context.Host.Time.GetElapsedTime(lastShown) >= Ticker.Pace)
                {
                    lastShown = context.Host.Time.GetTimestamp();
                    double bytesPerSecond = rate.Add(done);
                    TimeSpan? left = bytesPerSecond > 0 ? TimeSpan.FromSeconds((total - done) / bytesPerSecond) : null;
                    context.Screen.Live(ProgressBar.Render(done, total, bytesPerSecond, left, node.GetPeers().Count));
                }
            }

            await context.Output.FlushAsync(context.Stopping);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException($"Stopped after {ByteSize.Format(done)} of {ByteSize.Format(total)}.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            context.Screen.EndLive();
        }
    }
}
