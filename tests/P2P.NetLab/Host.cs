using System.Diagnostics;
using System.Text;

namespace P2P.NetLab;

/// <summary>A host of the laboratory: a network namespace, and a folder that is its home.</summary>
internal sealed class Host(string @namespace, string folder) : IAsyncDisposable
{
    private readonly List<ToolRun> _runs = [];

    /// <summary>The name of its namespace.</summary>
    public string Namespace => @namespace;

    /// <summary>A path in its home.</summary>
    public string this[string name] => Path.Combine(folder, name);

    /// <summary>Starts <c>p2p</c> there.</summary>
    public ToolRun Start(params string[] args)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "p2p");
        var start = new ProcessStartInfo("ip", ["netns", "exec", @namespace, program, .. args]) { WorkingDirectory = folder };
        foreach (string name in start.Environment.Keys.Where(static name => name.StartsWith("P2P_", StringComparison.Ordinal) || name.StartsWith("XDG_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["HOME"] = folder;
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var run = new ToolRun(start);
        _runs.Add(run);
        return run;
    }

    /// <summary>Starts another program there.</summary>
    public ToolRun StartProgram(string program, params string[] args)
    {
        var run = new ToolRun(new ProcessStartInfo("ip", ["netns", "exec", @namespace, program, .. args]) { WorkingDirectory = folder });
        _runs.Add(run);
        return run;
    }

    /// <summary>Runs <c>p2p</c> there to its end.</summary>
    public async Task<ToolRun> RunAsync(CancellationToken cancellationToken, params string[] args)
    {
        ToolRun run = Start(args);
        await run.EndAsync(cancellationToken);
        return run;
    }

    /// <summary>Runs another program and fails when it fails.</summary>
    public static async Task RunToEndAsync(string program, IEnumerable<string> args, CancellationToken cancellationToken)
    {
        var run = new ToolRun(new ProcessStartInfo(program, args));
        await using (run)
        {
            await run.EndAsync(cancellationToken);
            if (run.ExitCode != 0)
                throw new InvalidOperationException($"{program} {string.Join(' ', args)}: {run.Error.Trim()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ToolRun run in _runs)
            await run.DisposeAsync();
    }
}

/// <summary>One run of a program.</summary>
internal sealed class ToolRun : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new(), _error = new();
    private readonly Task _pumps;
    private bool _isDisposed;

    public ToolRun(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        _process = Process.Start(start)!;
        _pumps = Task.WhenAll(PumpAsync(_process.StandardOutput, _output), PumpAsync(_process.StandardError, _error));
    }

    public int ExitCode => _process.ExitCode;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public string Error
    {
        get
        {
            lock (_error)
                return _error.ToString();
        }
    }

    /// <summary>Waits until a text stands in its output.</summary>
    public async Task SaidAsync(string text, CancellationToken cancellationToken)
    {
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (_process.HasExited)
                Assert.Fail($"It ended and did not say '{text}': {this}");
            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>Waits until a text stands in what it says on either way.</summary>
    public async Task SaidSomewhereAsync(string text, CancellationToken cancellationToken)
    {
        while (!Output.Contains(text, StringComparison.OrdinalIgnoreCase) && !Error.Contains(text, StringComparison.OrdinalIgnoreCase))
        {
            if (_process.HasExited)
                Assert.Fail($"It ended and did not say '{text}': {this}");
            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>Asks it to end as Ctrl-C does, and waits.</summary>
    public async Task InterruptAsync(CancellationToken cancellationToken)
    {
        await Host.RunToEndAsync("kill", ["-INT", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)], cancellationToken);
        await EndAsync(cancellationToken);
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _pumps;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        await _pumps;
        _process.Dispose();
    }

    public override string ToString() => $"output: {Output}\nerror: {Error}";

    private static async Task PumpAsync(StreamReader from, StringBuilder to)
    {
        char[] buffer = new char[4_096];
        int count;
        while ((count = await from.ReadAsync(buffer)) > 0)
        {
            lock (to)
                to.Append(buffer, 0, count);
        }
    }
}
