using System.Text.Json;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>What the end-to-end tests share: a folder, a sharer, a fetcher, all on the loopback interface.</summary>
public abstract class EndToEndTest : IAsyncDisposable
{
    private readonly List<ToolProcess> _processes = [];

    private protected TemporaryFolder Folder { get; } = new();

    public async ValueTask DisposeAsync()
    {
        foreach (ToolProcess process in _processes)
            await process.DisposeAsync();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps a process until the test ends.</summary>
    private protected ToolProcess Keep(ToolProcess process)
    {
        _processes.Add(process);
        return process;
    }

    private protected ToolProcess Start(params string[] args) => Keep(ToolProcess.Start(Folder, args));

    private protected async Task<ToolProcess> RunAsync(params string[] args)
    {
        ToolProcess process = Start(args);
        await process.ExitAsync();
        return process;
    }

    /// <summary>Shares with the data folder A and waits for the link.</summary>
    private protected async Task<(ToolProcess Sharer, string Link)> ShareAsync(params string[] paths)
    {
        ToolProcess sharer = Start(["share", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--", .. paths]);
        JsonElement shared = await sharer.EventAsync("shared");
        return (sharer, shared.GetProperty("link").GetString()!);
    }

    /// <summary>Fetches with the data folder B.</summary>
    private protected Task<ToolProcess> FetchAsync(string link, params string[] args) => RunAsync(["fetch", link, "--data", "B", "--json", .. args]);

    /// <summary>The last event, which must be <c>done</c>.</summary>
    private protected static JsonElement Done(ToolProcess fetch)
    {
        JsonElement last = fetch.Events[^1];
        Assert.AreEqual("done", last.GetProperty("event").GetString(), fetch.ToString());
        return last;
    }

    /// <summary>The last event, which must be an error of that code.</summary>
    private protected static void AssertError(string code, ToolProcess process)
    {
        JsonElement last = process.Events[^1];
        Assert.AreEqual("error", last.GetProperty("event").GetString(), process.ToString());
        Assert.AreEqual(code, last.GetProperty("code").GetString(), process.ToString());
        Assert.IsFalse(last.GetProperty("message").GetString()!.Contains("   at ", StringComparison.Ordinal));
    }
}
