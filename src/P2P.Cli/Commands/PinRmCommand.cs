using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p pin rm</c>: lets go of what was pinned.</summary>
internal sealed class PinRmCommand : ToolCommand
{
    private readonly LinkInput _link = new();

    public PinRmCommand()
        : base("rm", "Lets go of pinned content, by link or content id. Its space is freed when the node is idle, or by p2p gc.") => _link.AddTo(this);

    public override string Synopsis => "LINK [OPTION]...";

    public override string Notes => "Shares stay: p2p unshare ends them.";

    public override async Task<int> RunAsync(CommandContext context)
    {
        (ShareLink link, _) = _link.Read(context, pathsMax: 0);
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        ContentStore store = session.Node.Store;
        if (!await store.UnpinAsync(link.Root, context.Stopping))
            throw new P2PException(P2PErrorCode.NotFound, await IsSharedAsync(store, link.Root, context.Stopping)
                ? $"{link.Root} is not pinned but shared; p2p unshare ends that."
                : $"{link.Root} is not pinned. p2p pin ls lists what is.");
        if (context.Events is { } events)
            events.Write(new UnpinnedEvent(link.Root.ToString()));
        else
            context.Screen.Line($"{link.Root} is no longer pinned; p2p gc frees its space now.");
        return ExitCodes.Done;
    }

    private static async Task<bool> IsSharedAsync(ContentStore store, Cid root, CancellationToken cancellationToken)
    {
        await foreach (PinnedContent pin in store.GetPinsAsync(cancellationToken))
        {
            if (pin.Root == root && pin.Purpose is PinPurpose.Shared or PinPurpose.Seeded)
                return true;
        }

        return false;
    }
}
