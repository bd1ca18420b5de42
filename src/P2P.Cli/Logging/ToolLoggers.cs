using Microsoft.Extensions.Logging;

namespace P2P.Cli.Logging;

/// <summary>The library's log as lines: to standard error with <c>--verbose</c>, to a file with <c>--log</c>.</summary>
internal sealed class ToolLoggers(Action<LogLevel, string>? show, TextWriter? file, TimeProvider time) : ILoggerFactory
{
    private readonly Lock _gate = new(); // guards the file

    public ILogger CreateLogger(string categoryName)
    {
        const string Own = "P2P.Core.";
        return new LineLogger(this, categoryName.StartsWith(Own, StringComparison.Ordinal) ? categoryName[Own.Length..] : categoryName);
    }

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() => file?.Dispose();

    private void Write(LogLevel level, string category, string message, Exception? exception)
    {
        string line = $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Name(level)} {category}: {Output.SafeText.Clean(message)}";
        if (exception is not null)
            line += " | " + Output.SafeText.Clean(exception.ToString());
        show?.Invoke(level, line);
        if (file is null)
            return;
        lock (_gate)
        {
            file.WriteLine(line);
            if (level >= LogLevel.Information)
                file.Flush();
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        _ => "error",
    };

    private sealed class LineLogger(ToolLoggers loggers, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                loggers.Write(logLevel, category, formatter(state, exception), exception);
        }
    }
}
