using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace P2P.Benchmarks;

/// <summary>One run of the tool with --json, and what it cost (Linux: /proc).</summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ToolProcess(Process process) => _process = process;

    /// <summary>The most memory it ever had resident (bytes), as of the last event read.</summary>
    public long PeakResidentBytes { get; private set; }

    /// <summary>CPU seconds of all its threads, as of now or of the last event read.</summary>
    public double CpuSeconds { get; private set; }

    public static ToolProcess Start(string tool, params string[] arguments) => new(Bench.Start(tool, [.. arguments, "--json"]));

    /// <summary>Reads events until the named one.</summary>
    public async Task<JsonNode> WaitForAsync(string name)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            JsonNode e = JsonNode.Parse(line)!;
            Sample();
            if ((string?)e["event"] == name)
                return e;
            if ((string?)e["event"] == "error")
                throw new InvalidOperationException(line);
        }

        throw new InvalidOperationException($"The tool ended without '{name}'.");
    }

    /// <summary>Reads what the process has cost so far.</summary>
    public void Sample()
    {
        try
        {
            string[] stat = File.ReadAllText($"/proc/{_process.Id}/stat").Split(") ", 2)[1].Split(' ');
            CpuSeconds = (long.Parse(stat[11], CultureInfo.InvariantCulture) + long.Parse(stat[12], CultureInfo.InvariantCulture)) / 100.0; // clock ticks of 10 ms
            string peak = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            PeakResidentBytes = long.Parse(peak.Split(':')[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or IndexOutOfRangeException)
        {
            // it has ended: the last sample stands
        }
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using Process kill = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync();
            await WaitForExitAsync();
        }

        _process.Dispose();
    }
}
