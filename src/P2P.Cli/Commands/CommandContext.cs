using System.CommandLine;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Cli.Configuration;
using P2P.Cli.Logging;
using P2P.Cli.Output;
using P2P.Cli.Targets;

namespace P2P.Cli.Commands;

/// <summary>What a command works with.</summary>
internal sealed class CommandContext : IDisposable
{
    private readonly Lazy<Stream> _output;
    private readonly Lazy<ILoggerFactory> _loggers;

    public CommandContext(ToolHost host, Settings settings, ParseResult parse)
    {
        Host = host;
        Settings = settings;
        Parse = parse;
        _output = new Lazy<Stream>(host.OpenOutput);
        bool plain = !host.ErrorIsTerminal || host.Environment("NO_COLOR") is { Length: > 0 } || host.Environment("TERM") == "dumb";
        Screen = new Screen(host.OpenError(), host.ErrorIsTerminal && host.Environment("TERM") != "dumb", !plain, settings.Quiet || settings.Json, host.Width, host.ErrorIsJournal);
        Events = settings.Json ? new EventWriter(Output, host.Time) : null;
        _loggers = new Lazy<ILoggerFactory>(CreateLoggers);
    }

    public ToolHost Host { get; }

    public Settings Settings { get; }

    public ParseResult Parse { get; }

    /// <summary>Messages and progress for a person; silent with <c>--json</c> and <c>--quiet</c> but for errors.</summary>
    public Screen Screen { get; }

    /// <summary>Where events go; null without <c>--json</c>.</summary>
    public EventWriter? Events { get; }

    /// <summary>Standard output.</summary>
    public Stream Output => _output.Value;

    public ILoggerFactory Loggers => _loggers.Value;

    public CancellationToken Stopping => Host.Stopping;

    /// <summary>Whether a data folder that is taken is waited for, or attached to, by who runs the command.</summary>
    public bool WaitsForFolder { get; set; }

    /// <summary>One line of data on standard output, for a person or a script that does not read JSON.</summary>
    public void Data(string line)
    {
        Output.Write(Encoding.UTF8.GetBytes(line + "\n"));
        Output.Flush();
    }

    /// <summary>A path as a person reads it.</summary>
    public string Display(string path) => SafeText.Clean(FetchTarget.Display(path, Host.CurrentDirectory, Host.Home));

    /// <summary>A path that was not typed, as a person reads it: from the home, wherever the user stands.</summary>
    public string DisplayOwn(string path) =>
        SafeText.Clean(Settings.Data is null ? FetchTarget.Display(path, "", Host.Home) : FetchTarget.Display(path, Host.CurrentDirectory, Host.Home));

    /// <summary>Something that the operator should know.</summary>
    public void Warn(string code, string message)
    {
        if (Events is { } events)
            events.Write(new WarningEvent(code, message));
        else
            Screen.Important("Note: " + SafeText.Clean(message));
    }

    /// <summary>A command that writes bytes cannot write events to the same place.</summary>
    public void RefuseJson(string what)
    {
        if (Settings.Json)
            throw new UsageException($"{what} writes the content itself to standard output, so --json has no place to write to.");
    }

    public void Dispose()
    {
        if (_loggers.IsValueCreated)
            _loggers.Value.Dispose();
        if (_output.IsValueCreated)
            _output.Value.Dispose();
    }

    private static Priority PriorityOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => Priority.Debug,
        LogLevel.Information => Priority.Information,
        LogLevel.Warning => Priority.Warning,
        _ => Priority.Error,
    };

    private ILoggerFactory CreateLoggers()
    {
        if (!Settings.Verbose && Settings.Log is null)
            return NullLoggerFactory.Instance;
        StreamWriter? file = null;
        if (Settings.Log is { } path)
        {
            try
            {
                file = new StreamWriter(new FileStream(Path.GetFullPath(path, Host.CurrentDirectory), FileMode.Append, FileAccess.Write, FileShare.ReadWrite));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new UsageException($"The log file {path} cannot be written: {failure.Message}");
            }
        }

        return new ToolLoggers(Settings.Verbose ? (level, line) => Screen.Important(line, PriorityOf(level)) : null, file, Host.Time);
    }
}
