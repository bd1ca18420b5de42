using System.Globalization;
using P2P.Cli.Configuration;
using P2P.Cli.Control;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>A running node: of this process on the data folder, whose control socket it then keeps; of the process that the command is attached to; or, beside one that has no socket, on a folder of its own.</summary>
internal sealed class NodeSession : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private string? _temporary;
    private ControlServer? _control;
    private bool _isShared;

    private NodeSession(P2PNode node, string folder) => (Node, Folder) = (node, folder);

    public P2PNode Node { get; }

    /// <summary>The data folder.</summary>
    public string Folder { get; }

    /// <summary>Whether the identity was made just now.</summary>
    public bool IsNew { get; private init; }

    /// <summary>Starts a node, or takes the one that the command is attached to.</summary>
    /// <param name="context">The settings.</param>
    /// <param name="listen">Whether it accepts connections although no address was given.</param>
    /// <param name="mayStandBeside">Whether it may run with a temporary store and identity while another program holds the folder.</param>
    /// <exception cref="FolderTakenException">Another process holds the folder, and the caller waits for it.</exception>
    public static async Task<NodeSession> OpenAsync(CommandContext context, bool listen, bool mayStandBeside)
    {
        if (context.Host.Attachment is { } attachment)
            return await AttachAsync(context, attachment.Shared, listen);
        string folder = context.Settings.DataFolderOf(context.Host);
        bool isNew = !File.Exists(Path.Combine(folder, "identity"));
        P2PNodeOptions options = context.Settings.ForNode(folder, listen);
        if (options.FindFaults() is { Count: > 0 } faults)
            throw new UsageException(string.Join(' ', faults.Select(SettingKey.Translate))); // before there is a folder
        var node = new P2PNode(options, context.Loggers);
        try
        {
            await node.StartAsync(context.Stopping);
            var session = new NodeSession(node, folder) { IsNew = isNew };
            session._control = ControlServer.TryStart(context, new SharedNode(node, folder, context.Parse.CommandResult.Command.FullName(), context.Settings, context.Host.Time.GetUtcNow()));
            return session;
        }
        catch (P2PException failure) when (failure is { Code: P2PErrorCode.InUse, IsTransient: true } && context.WaitsForFolder)
        {
            await node.DisposeAsync();
            throw new FolderTakenException(failure, mayStandBeside);
        }
        catch (P2PException failure) when (failure.Code == P2PErrorCode.InUse && mayStandBeside)
        {
            await node.DisposeAsync();
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }

        return await OpenBesideAsync(context, folder, listen);
    }

    /// <summary>The failure of a command that needs what the node is not set up for: wrong usage, or the fault of whoever started it.</summary>
    /// <param name="context">The command.</param>
    /// <param name="what">What the node does not do, after "the node".</param>
    public static Exception Refusal(CommandContext context, string what) => context.Host.Attachment is null
        ? new UsageException($"The node {what}.")
        : new P2PException(P2PErrorCode.InUse, $"The node that runs on this folder {what}. End it first, or name another folder with --data.");

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        if (_control is not null)
            await _control.DisposeAsync();
        if (!_isShared)
            await Node.DisposeAsync();
        Delete(_temporary);
        _ended.Dispose();
    }

    private static async Task<NodeSession> AttachAsync(CommandContext context, SharedNode shared, bool listen)
    {
        Settings mine = context.Settings, its = shared.Settings;
        string who = $"The node that runs on this folder (process {Environment.ProcessId}, p2p {shared.Command})";
        const string Advice = "End it first, or name another folder with --data.";
        if (mine.Network is { } network && network != its.NetworkOfNode)
            throw new P2PException(P2PErrorCode.InUse, $"{who} is in the network {its.NetworkOfNode}, not in {network}. {Advice}");
        foreach ((string key, string does, long? asked, long? holds) in ((string, string, long?, long?)[])[("up", "sends", mine.UpOfNode, its.UpOfNode), ("down", "receives", mine.DownOfNode, its.DownOfNode)])
        {
            if (mine.IsGiven(key) && asked != holds)
                throw new P2PException(P2PErrorCode.InUse, $"{who} {does} {Limited(holds)}, not {Limited(asked)}. {Advice}");
        }

        var session = new NodeSession(shared.Node, shared.Folder) { _isShared = true };
        if ((listen || mine.Listen.Count > 0) && await shared.Node.ListenAsync([.. mine.Listen], context.Stopping))
            shared.Listen = mine.Listen;
        else if (mine.Listen.Count > 0 && !mine.Listen.SequenceEqual(shared.Listen))
            throw new P2PException(P2PErrorCode.InUse, $"{who} listens on {Listed(shared.Listen)}, not on {Listed(mine.Listen)}. {Advice}");
        foreach (string peer in mine.Peers.Except(its.PeersOfNode))
            _ = session.ConnectAsync(Multiaddress.Parse(peer, CultureInfo.InvariantCulture));
        return session;
    }

    private static string Limited(long? rate) => rate is { } bytes ? $"at most {ByteSize.FormatExact(bytes)} a second" : "without a limit";

    private static string Listed(IReadOnlyList<string> addresses) => addresses.Count == 0 ? "its own port" : string.Join(" and ", addresses);

    // As a node does with its own at start: who does not answer shows where somebody is waited for.
    private async Task ConnectAsync(Multiaddress peer)
    {
        try
        {
            await Node.ConnectAsync(peer, _ended.Token);
        }
        catch (Exception failure) when (failure is P2PException or OperationCanceledException or InvalidOperationException or ArgumentException)
        {
            // not reached, or the node ends
        }
    }

    // Resuming works from here too: what lies in the part file is hashed again, whoever wrote it.
    private static async Task<NodeSession> OpenBesideAsync(CommandContext context, string folder, bool listen)
    {
        string temporary = Directory.CreateTempSubdirectory("p2p-beside-").FullName;
        var node = new P2PNode(context.Settings.ForNode(temporary, listen), context.Loggers);
        try
        {
            await node.StartAsync(context.Stopping);
            return new NodeSession(node, folder) { _temporary = temporary };
        }
        catch
        {
            await node.DisposeAsync();
            Delete(temporary);
            throw;
        }
    }

    private static void Delete(string? folder)
    {
        if (folder is null)
            return;
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The system clears its temporary folder; a leftover there must not turn a success into a failure.
        }
    }
}
