using System.CommandLine;
using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p replica rm</c>: lets go of what is kept for others.</summary>
internal sealed class ReplicaRmCommand : ToolCommand
{
    private readonly Argument<string?> _cid = new("CID") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string> _publisher = new("--publisher") { HelpName = "PEERID", Description = "all that is kept for this peer" };

    public ReplicaRmCommand()
        : base("rm", "Deletes blocks that are kept for others, asked for or not: it is your disk.")
    {
        Add(_cid);
        Add(_publisher);
    }

    public override string Synopsis => "CID | --publisher PEERID";

    public override string Notes => """
        With a CID every group of blocks goes that it is part of. It is not taken again until its publisher asks anew. "p2p store stat --by-publisher" shows for whom what is kept.
        """;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string? cid = context.Parse.GetValue(_cid), publisher = context.Parse.GetValue(_publisher);
        if (cid is null == publisher is null)
            throw new UsageException("Name what is to go: p2p replica rm CID, or p2p replica rm --publisher PEERID.");
        Cid block = default;
        PeerId peer = default;
        if (cid is not null && !Cid.TryParse(cid, CultureInfo.InvariantCulture, out block))
            throw new UsageException($"\"{SafeText.Clean(cid)}\" is no content id.");
        if (publisher is not null && !PeerId.TryParse(publisher, CultureInfo.InvariantCulture, out peer))
            throw new UsageException($"\"{SafeText.Clean(publisher)}\" is no peer id; one begins with 12D3KooW.");
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        ContentStore store = session.Node.Store;
        long bytes = await (cid is not null ? store.RemoveReplicasAsync(block, context.Stopping) : store.RemoveReplicasAsync(peer, context.Stopping));
        if (bytes == 0)
            throw new P2PException(P2PErrorCode.NotFound, cid is not null ? $"Nothing that is kept for others has the block {cid}." : $"Nothing is kept for {publisher}.");
        if (context.Events is { } events)
            events.Write(new ReplicaRemovedEvent(cid, publisher, bytes));
        else
            context.Screen.Line($"{ByteSize.Format(bytes)} are not kept any more. \"p2p gc\" frees them now.");
        return ExitCodes.Done;
    }
}
