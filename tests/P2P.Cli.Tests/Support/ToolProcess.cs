using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace P2P.Cli.Tests.Support;

/// <summary>One run of the built <c>p2p</c> as a process of its own, with its own home and without the caller's P2P_ variables.</summary>
internal sealed partial class ToolProcess : IAsyncDisposable
{
    public const int Interrupt = 2;   // SIGINT
    public const int Hangup = 1;      // SIGHUP
    public const int Pause = 19;      // SIGSTOP
    public const int GoOn = 18;       // SIGCONT
    public const int KillNow = 9;     // SIGKILL
    public const int Terminate = 15;  // SIGTERM

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly Task _pumps;
    private readonly bool _isJson;

    private ToolProcess(Process process, bool isJson)
    {
        _process = process;
        _isJson = isJson;
        _pumps = Task.WhenAll(PumpOutputAsync(), PumpErrorAsync());
    }

    /// <summary>The program that the tests run.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "p2p.exe" : "p2p");

    /// <summary>Everything on standard output so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Everything on standard error so far.</summary>
    public string Error
    {
        get
        {
            lock (_error)
                return _error.ToString();
        }
    }

    /// <summary>Every event so far, each checked against its schema.</summary>
    public IReadOnlyList<JsonElement> Events
    {
        get
        {
            lock (_output)
                return [.. _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(EventSchemas.Check)];
        }
    }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Starts it in <paramref name="folder"/>, which is also its home.</summary>
    public static ToolProcess Start(TemporaryFolder folder, params string[] args) => Start(folder, null, args);

    /// <summary>Starts it with some variables of its own.</summary>
    public static ToolProcess Start(TemporaryFolder folder, IReadOnlyDictionary<string, string>? variables, params string[] args)
    {
        var start = new ProcessStartInfo(Program, args);
        Prepare(start, folder, variables);
        return new ToolProcess(Process.Start(start)!, args.Contains("--json"));
    }

    /// <summary>Runs a line in a shell; <c>$P2P</c> is the program.</summary>
    public static ToolProcess StartShell(TemporaryFolder folder, string shell, string line)
    {
        var start = new ProcessStartInfo(shell, ["-c", line]);
        Prepare(start, folder, null);
        return new ToolProcess(Process.Start(start)!, isJson: false);
    }

    /// <summary>Starts it, waits for its end and returns it.</summary>
    public static async Task<ToolProcess> RunAsync(TemporaryFolder folder, params string[] args)
    {
        ToolProcess process = Start(folder, args);
        await process.ExitAsync();
        return process;
    }

    /// <summary>Waits for the end and for all of the output.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        using var deadline = new CancellationTokenSource(s_patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await _pumps.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"p2p did not end within {s_patience}.\n{this}");
        }

        return _process.ExitCode;
    }

    /// <summary>Waits for the end and fails when the exit code is another one.</summary>
    public async Task<ToolProcess> ExpectAsync(int exit)
    {
        Assert.AreEqual(exit, await ExitAsync(), ToString());
        return this;
    }

    /// <summary>Waits for the next event of that name.</summary>
    public async Task<JsonElement> EventAsync(string name)
    {
        JsonElement found = default;
        await LineAsync(line => (found = EventSchemas.Check(line)).GetProperty("event").GetString() == name, "the event " + name);
        return found;
    }

    /// <summary>Waits for the next line of standard output that fits.</summary>
    public async Task<string> LineAsync(Func<string, bool> fits, string what)
    {
        using var deadline = new CancellationTokenSource(s_patience);
        try
        {
            await foreach (string line in _lines.Reader.ReadAllAsync(deadline.Token))
            {
                if (fits(line))
                    return line;
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{what} did not come within {s_patience}.\n{this}");
        }

        await ExitAsync();
        throw new AssertFailedException($"p2p ended before {what} came.\n{this}");
    }

    /// <summary>Waits until standard error holds a text.</summary>
    public async Task ErrorContainsAsync(string text)
    {
        long started = Stopwatch.GetTimestamp();
        while (!Error.Contains(text, StringComparison.Ordinal))
        {
            if (_pumps.IsCompleted || Stopwatch.GetElapsedTime(started) > s_patience)
                Assert.Fail($"\"{text}\" did not come on standard error.\n{this}");
            await Task.Delay(20);
        }
    }

    public void Signal(int signal)
    {
        if (Kill(_process.Id, signal) != 0)
            throw new InvalidOperationException($"kill({_process.Id}, {signal}) failed with {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>The most memory that it ever held (bytes).</summary>
    public long PeakMemory()
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status").First(candidate => candidate.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }

    public async Task SendInputAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        _process.StandardInput.Close();
    }

    public override string ToString() =>
        $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}\nexit: {(_process.HasExited ? _process.ExitCode : "runs")}\nstdout: {Tail(Output)}\nstderr: {Tail(Error)}";

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _pumps.WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
    }

    private static void Prepare(ProcessStartInfo start, TemporaryFolder folder, IReadOnlyDictionary<string, string>? variables)
    {
        start.WorkingDirectory = folder.Path;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("P2P_", StringComparison.Ordinal) || name.StartsWith("XDG_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["HOME"] = folder.Path;
        start.Environment["P2P"] = Program;
        start.Environment["P2P_NO_LAN"] = "true"; // tests keep to the loopback interface
        start.Environment["P2P_NAT_MAP_PORTS"] = "false";
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // its sockets stay in the system's temporary folder when a process is killed
        foreach ((string name, string value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
    }

    private static string Tail(string text) => text.Length > 3_000 ? "..." + text[^3_000..] : text;

    private async Task PumpOutputAsync()
    {
        var line = new StringBuilder();
        char[] buffer = new char[16 << 10];
        int count;
        while ((count = await _process.StandardOutput.ReadAsync(buffer)) > 0)
        {
            lock (_output)
                _output.Append(buffer, 0, count);
            foreach (char c in buffer.AsSpan(0, count))
            {
                if (c != '\n')
                {
                    line.Append(c);
                    continue;
                }

                Take(line.ToString());
                line.Clear();
            }
        }

        if (line.Length > 0)
            Take(line.ToString());
        _lines.Writer.Complete();
    }

    private void Take(string line)
    {
        if (_isJson)
            EventSchemas.Check(line);
        _lines.Writer.TryWrite(line);
    }

    private async Task PumpErrorAsync()
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = await _process.StandardError.ReadAsync(buffer)) > 0)
        {
            lock (_error)
                _error.Append(buffer, 0, count);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
