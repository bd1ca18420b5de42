using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>A running node of this process, on the data folder or, when another process holds that, beside it.</summary>
internal sealed class NodeSession : IAsyncDisposable
{
    private readonly string? _temporary;

    private NodeSession(P2PNode node, string folder, bool isNew, string? temporary)
    {
        Node = node;
        Folder = folder;
        IsNew = isNew;
        _temporary = temporary;
    }

    public P2PNode Node { get; }

    /// <summary>The data folder.</summary>
    public string Folder { get; }

    /// <summary>Whether the identity was made just now.</summary>
    public bool IsNew { get; }

    /// <summary>Starts a node.</summary>
    /// <param name="context">The settings.</param>
    /// <param name="listen">Whether it accepts connections although no address was given.</param>
    /// <param name="mayStandBeside">Whether it may run with a temporary store and identity while another process holds the folder.</param>
    public static async Task<NodeSession> OpenAsync(CommandContext context, bool listen, bool mayStandBeside)
    {
        string folder = context.Settings.DataFolderOf(context.Host);
        bool isNew = !File.Exists(Path.Combine(folder, "identity"));
        var node = new P2PNode(context.Settings.ForNode(folder, listen), context.Loggers);
        try
        {
            await node.StartAsync(context.Stopping);
            return new NodeSession(node, folder, isNew, null);
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

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        Delete(_temporary);
    }

    // Resuming works from here too: what lies in the part file is hashed again, whoever wrote it.
    private static async Task<NodeSession> OpenBesideAsync(CommandContext context, string folder, bool listen)
    {
        string temporary = Directory.CreateTempSubdirectory("p2p-beside-").FullName;
        var node = new P2PNode(context.Settings.ForNode(temporary, listen), context.Loggers);
        try
        {
            await node.StartAsync(context.Stopping);
            return new NodeSession(node, folder, false, temporary);
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
