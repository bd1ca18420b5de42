using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Shows a node that serves, until the user ends it: one line on a terminal, <c>served</c> and <c>warning</c> events for scripts.</summary>
internal sealed class ServingView(CommandContext context, P2PNode node)
{
    private static readonly TimeSpan s_pace = TimeSpan.FromSeconds(1), s_idlePace = TimeSpan.FromSeconds(5);
    private long _shown = -1; // bytes
    private readonly RateMeter _rate = new(context.Host.Time);
    private readonly Dictionary<PeerId, long> _told = [];
    private readonly HashSet<NodeWarning> _warned = [];
    private readonly IdleMemory _memory = new(context.Host.Time);

    /// <summary>Returns when the user ends it.</summary>
    /// <returns>What was done until then.</returns>
    /// <param name="beside">What says something of its own meanwhile; it ends with the serving.</param>
    public async Task<NodeStatus> RunAsync(Task? beside = null)
    {
        using var timer = new PeriodicTimer(s_pace, context.Host.Time);
        context.Host.Manager?.Ready();
        try
        {
            do
            {
                if (beside is { IsFaulted: true })
                    await beside;
                NodeStatus now = node.Status;
                Show(now);
                timer.Period = context.Screen.IsTerminal || now.BytesServed != _shown ? s_pace : s_idlePace; // a node that does nothing is looked at by nobody
                _shown = now.BytesServed;
                _memory.Look(now.BytesServed + now.BytesFetched);
            }
            while (await timer.WaitForNextTickAsync(context.Stopping));
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            // the normal end
        }
        finally
        {
            context.Screen.EndLive();
            context.Host.Manager?.Stopping();
        }

        if (beside is not null)
            await beside;
        context.Host.Attachment?.ThrowIfAbandoned();
        NodeStatus last = node.Status;
        Tell(last);
        return last;
    }

    /// <summary>What was sent, as a part of a sentence.</summary>
    public static string Sent(NodeStatus status) =>
        status.BytesServed == 0 ? "nothing was sent" : $"{ByteSize.Format(status.BytesServed)} sent to {ProgressBar.Count(status.BytesServedByPeer.Count, "peer")}";

    private void Show(NodeStatus status)
    {
        Tell(status);
        double rate = _rate.Add(status.BytesServed);
        string sent = status.BytesServed == 0 ? "" : $"   {ByteSize.Format(status.BytesServed)} sent", peers = ProgressBar.Count(status.Peers, "peer");
        context.Screen.Live($"Serving, Ctrl-C stops.   {peers}{sent}{(rate > 0 ? "   " + ByteRate.Format(rate) : "")}");
        context.Host.Manager?.Status($"{peers}, {Sent(status)}");
    }

    private void Tell(NodeStatus status)
    {
        foreach (NodeWarning warning in status.Warnings)
        {
            if (_warned.Add(warning))
                context.Warn(warning.Code, warning.Message);
        }

        if (context.Events is not { } events)
            return;
        foreach ((PeerId peer, long bytes) in status.BytesServedByPeer)
        {
            if (bytes == 0 || (_told.TryGetValue(peer, out long told) && told == bytes))
                continue;
            _told[peer] = bytes;
            events.Write(new ServedEvent($"{peer}", bytes));
        }
    }
}
