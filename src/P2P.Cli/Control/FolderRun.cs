using P2P.Cli.Commands;
using P2P.Cli.Configuration;

namespace P2P.Cli.Control;

/// <summary>Runs a command that needs the node of a data folder: on the one that runs, or on its own; and on its own, or the next, when that one ends.</summary>
internal sealed class FolderRun(ToolCommand command, FolderUse use, CommandContext context, IReadOnlyList<string> args, DeliveredOutput output, ReplayedInput input)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a process that holds the folder without a socket may take to make one, or to end, before it counts as a program that has none.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>The same for a command that can do without the folder.</summary>
    private static readonly TimeSpan s_shortPatience = TimeSpan.FromSeconds(2);

    /// <summary>The same after an owner has ended: its node closes what it has open.</summary>
    private static readonly TimeSpan s_successionPatience = TimeSpan.FromMinutes(1);

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        string folder = context.Settings.DataFolderOf(context.Host);
        long since = context.Host.Time.GetTimestamp();
        bool hasLostOwner = false;
        context.WaitsForFolder = true;
        while (true)
        {
            using (ControlClient? owner = await ControlClient.TryAttachAsync(folder, args, context.Host))
            {
                if (owner is not null)
                {
                    await using Stream error = context.Host.OpenError();
                    if (await owner.RunAsync(context.Output, error, input.Open) is { } exit)
                        return exit;
                    Restart(owner.Owner, error);
                    (since, hasLostOwner) = (context.Host.Time.GetTimestamp(), true);
                    continue;
                }
            }

            try
            {
                return await command.RunAsync(context);
            }
            catch (FolderTakenException taken)
            {
                TimeSpan patience = hasLostOwner ? s_successionPatience : taken.MayStandBeside ? s_shortPatience : s_patience;
                if (context.Host.Time.GetElapsedTime(since) > patience)
                {
                    if (!taken.MayStandBeside)
                        throw taken.Failure;
                    context.WaitsForFolder = false;
                }
            }

            await Task.Delay(s_pause, context.Host.Time, context.Stopping);
        }
    }

    private void Restart(AttachAnswer owner, Stream error)
    {
        output.Restart();
        context.Settings.Inherited = new InheritedSettings(owner.Network, owner.Listen, owner.Peers, owner.Up, owner.Down);
        if (context.Host.ErrorIsTerminal && context.Host.Environment("TERM") != "dumb")
            error.Write("\r\e[J"u8); // what the owner drew last
        if (use == FolderUse.RunningNode || context.Stopping.IsCancellationRequested)
            return;
        string message = $"Process {owner.Process} (p2p {owner.Command}), whose node this command used, has ended; this one goes on by itself.";
        if (context.Events is not null)
            context.Warn("owner_ended", message);
        else
            context.Screen.Line(message);
    }
}
