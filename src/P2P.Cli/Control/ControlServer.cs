using System.Net.Sockets;
using System.Text.Json;
using P2P.Cli.Commands;

namespace P2P.Cli.Control;

/// <summary>Takes in commands that attach to this process's node and runs them on it. Lives as long as the node.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private readonly SharedNode _shared;
    private readonly Socket _listener;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new(); // guards _clients
    private readonly Dictionary<AttachedRun, Task> _clients = [];
    private readonly Task _accepting;

    private ControlServer(SharedNode shared, Socket listener, TimeProvider time)
    {
        (_shared, _listener, _time) = (shared, listener, time);
        _accepting = AcceptAsync();
    }

    /// <summary>Begins to listen on the folder, which this process holds; null, with a warning, where there can be no socket.</summary>
    public static ControlServer? TryStart(CommandContext context, SharedNode shared)
    {
        try
        {
            return new ControlServer(shared, ControlSocket.Listen(shared.Folder), context.Host.Time);
        }
        catch (IOException failure)
        {
            context.Warn("no_control_socket", $"Other commands cannot use this node while it runs: {failure.Message}");
            return null;
        }
    }

    /// <summary>Takes nobody in any more, lets go of who is attached and waits until nothing of theirs runs on the node.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        ControlSocket.Remove(_shared.Folder);
        await _accepting;
        KeyValuePair<AttachedRun, Task>[] clients;
        lock (_gate)
            clients = [.. _clients];
        foreach ((AttachedRun run, _) in clients)
            run.Abandon();
        Task all = Task.WhenAll(clients.Select(client => client.Value));
        await all.WaitAsync(ControlLimits.EndTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach ((AttachedRun run, _) in clients)
            run.Dispose(); // who does not read its output is not waited for
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                Begin(await _listener.AcceptAsync(_ending.Token));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // out of handles, or closed: a pause, so that this does not spin
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Begin(Socket socket)
    {
        int count;
        lock (_gate)
            count = _clients.Count;
        if (!PeerUser.IsOwn(socket) || count >= 2 * ControlLimits.ClientsMax) // so many wait for their refusal
        {
            socket.Dispose();
            return;
        }

        var run = new AttachedRun(new ControlChannel(socket), _shared, _time);
        lock (_gate)
        {
            string? refusal = count < ControlLimits.ClientsMax ? null : $"{ControlLimits.ClientsMax} commands use the node of process {Environment.ProcessId} already. Wait for one of them.";
            _clients.Add(run, Task.Run(() => RunAsync(run, refusal)));
        }
    }

    private async Task RunAsync(AttachedRun run, string? refusal)
    {
        try
        {
            await run.RunAsync(refusal);
        }
        catch (Exception failure) when (failure is IOException or JsonException or OperationCanceledException or TimeoutException)
        {
            // it went away, or spoke something else: its connection ends, nothing more
        }
        finally
        {
            run.Dispose();
            lock (_gate)
                _clients.Remove(run);
        }
    }
}
