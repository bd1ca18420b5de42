using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p store verify</c>: reads and hashes everything that is kept.</summary>
internal sealed class StoreVerifyCommand() : ToolCommand("verify", "Reads everything that is kept, hashes it and names each damaged block: the file and the place in it.")
{
    public override string Synopsis => "[OPTION]...";

    public override string Notes => "Blocks of the store and what is shared of your own files are read. Nothing is changed; p2p store repair mends what it can. Exit 4 when there is any damage.";

    public override async Task<int> RunAsync(CommandContext context)
    {
        var view = new FindingsView(context);
        long started = context.Host.Time.GetTimestamp();
        try
        {
            await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
            await foreach (StoreFinding finding in session.Node.Store.VerifyAsync(view, context.Stopping))
                view.Show(finding);
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            throw new InterruptedException($"Stopped after {ByteSize.Format(view.Last.Bytes)}; nothing was changed.");
        }
        catch (P2PException damaged) when (damaged.DamagedFile is not null)
        {
            view.Show(new StoreFinding(FindingKind.Index, damaged.DamagedFile, null, default) { Detail = damaged.Message });
        }
        finally
        {
            context.Screen.EndLive();
        }

        view.End(context.Host.Time.GetElapsedTime(started));
        return view.Damaged > 0 ? ExitCodes.Integrity : ExitCodes.Done;
    }
}
