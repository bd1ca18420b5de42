using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>Says what happens to a share once its link works: how it was announced, who keeps copies.</summary>
internal sealed class SpreadingView(CommandContext context, P2PNode node, Share share)
{
    private const string Advice = "\"p2p node --offer SIZE\" on this machine or on one of its networks makes a node that keeps copies";

    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(5);

    /// <summary>Whether it is served from here whatever comes of it.</summary>
    public bool ServesOn { get; init; } = true;

    /// <summary>Whether nothing else is on the screen meanwhile, so that it shows itself that it goes on.</summary>
    public bool IsAlone { get; init; }

    /// <summary>Waits for it and says it. What fails here is a warning: the share is served.</summary>
    /// <param name="work">The share.</param>
    /// <returns>How many copies there are; null when none were asked for, or it was stopped.</returns>
    public async Task<HealthReport?> ShowAsync(Task<Share> work)
    {
        Share spread;
        try
        {
            if (IsAlone)
                await WatchAsync(work);
            spread = await work.WaitAsync(context.Stopping);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (P2PException failure)
        {
            context.Warn("not_spread", failure.Message);
            return null;
        }

        if (spread.Announced is { Of: > 0 } announced)
        {
            context.Events?.Write(new AnnouncedEvent(announced.Nodes, announced.Of, announced.Verified));
            context.Screen.Line($"Announced:  to {announced.Nodes} of {announced.Of} nodes{(announced.Verified ? "; found from elsewhere, so the content id alone leads here" : "; not yet seen from elsewhere")}");
        }

        if (spread.Health is { } health && ServesOn)
            Tell(health);
        if (spread.Health is { } copies)
            Show(copies, ServesOn ? "It is served from here all the same, and tried again now and then." : "It is tried again until there are enough.");
        return spread.Health;
    }

    /// <summary>Waits until enough copies are kept, and ends.</summary>
    /// <param name="work">The share.</param>
    /// <param name="patience">How long after the first answers it is tried again.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> FinishAsync(Task<Share> work, TimeSpan patience)
    {
        HealthReport? health = await ShowAsync(work);
        try
        {
            long began = context.Host.Time.GetTimestamp();
            while (health is not null && !CopiesView.IsEnough(health) && context.Host.Time.GetElapsedTime(began) < patience)
            {
                await Task.Delay(s_again, context.Host.Time, context.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (context.Stopping.IsCancellationRequested)
                    break;
                Task<HealthReport> again = node.RenewReplicasAsync(share.Link, context.Stopping);
                await WatchAsync(again);
                if (context.Stopping.IsCancellationRequested)
                    break;
                health = await again;
                if (CopiesView.IsEnough(health))
                    Show(health, "");
            }
        }
        finally
        {
            if (health is not null)
                Tell(health); // once, with what came of it in the end
        }

        context.Host.Attachment?.ThrowIfAbandoned();
        if (context.Stopping.IsCancellationRequested)
            throw new InterruptedException("Stopped before enough copies were kept. The same command goes on from there.");
        if (health is null || !CopiesView.IsEnough(health))
            throw new P2PException(P2PErrorCode.Unreachable, $"There are not enough copies to leave it to others. {(health is null ? "None could be made" : CopiesView.Warning(health))}. {Advice}. Or leave --detach-after-replication out and serve it from here.");
        context.Screen.Line($"Others serve it now. \"p2p renew LINK\" has them keep it longer.");
        return ExitCodes.Done;
    }

    private async Task WatchAsync(Task work)
    {
        long before = node.Status.BytesServed;
        var rate = new RateMeter(context.Host.Time);
        try
        {
            await Ticker.WatchAsync(work, () => Live(node.Status.BytesServed - before, rate), context.Host.Time, context.Stopping);
        }
        finally
        {
            context.Screen.EndLive();
        }
    }

    private void Live(long sent, RateMeter rate)
    {
        double bytesPerSecond = rate.Add(sent);
        context.Screen.Live($"Announcing and having copies made   {ByteSize.Format(sent)} sent{(bytesPerSecond > 0 ? "   " + ByteRate.Format(bytesPerSecond) : "")}");
    }

    private void Tell(HealthReport health) => context.Events?.Write(CopiesView.ToReplicated(health));

    private void Show(HealthReport health, string whatNow)
    {
        context.Screen.Line($"Copies:     {CopiesView.Describe(health)}{CopiesView.Refused(health)}.");
        if (health.LeaseUntil is not null)
            context.Screen.Line($"            {CopiesView.Kept(health)}{(ServesOn ? "; renewed while this node runs, or by \"p2p renew LINK\"" : "")}.");
        if (CopiesView.Warning(health) is { } warning)
            context.Warn("few_copies", $"{warning}. {whatNow}{(CopiesView.IsUnanswered(health) ? $" {Advice}." : "")}");
    }
}
