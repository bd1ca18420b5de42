using P2P.Cli.Configuration;
using P2P.Cli.Control;
using P2P.Cli.Output;

namespace P2P.Cli;

/// <summary>Everything that the tool takes from the process it runs in, so that a test can run it inside its own.</summary>
internal sealed record ToolHost
{
    public required Func<Stream> OpenInput { get; init; }

    public required Func<Stream> OpenOutput { get; init; }

    public required Func<Stream> OpenError { get; init; }

    public required bool OutputIsTerminal { get; init; }

    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Whether the journal of systemd reads standard error.</summary>
    public bool ErrorIsJournal { get; init; }

    /// <summary>Who runs this process as a service and wants to hear how it is.</summary>
    public ServiceManager? Manager { get; init; }

    /// <summary>Columns of the terminal.</summary>
    public required Func<int> Width { get; init; }

    /// <summary>Rows of the terminal; beyond all bounds when they are not known.</summary>
    public Func<int> Height { get; init; } = static () => int.MaxValue;

    public required Func<string, string?> Environment { get; init; }

    public required HostSystem System { get; init; }

    public required string CurrentDirectory { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Cancelled when the user or the system asks the process to end.</summary>
    public required CancellationToken Stopping { get; init; }

    /// <summary>Set when the command was handed over by another process: the node of this one, on which it runs.</summary>
    public Attachment? Attachment { get; init; }

    /// <summary>The user's home, to shorten paths in messages.</summary>
    public string? Home => Environment(System == HostSystem.Windows ? "USERPROFILE" : "HOME") is { Length: > 1 } home ? home : null;

    /// <summary>This process.</summary>
    public static ToolHost OfProcess(CancellationToken stopping)
    {
        if (OperatingSystem.IsWindows())
            Console.OutputEncoding = global::System.Text.Encoding.UTF8; // elsewhere terminals read what we write
        return new ToolHost
        {
            OpenInput = StandardStreams.OpenInput,
            OpenOutput = StandardStreams.OpenOutput,
            OpenError = StandardStreams.OpenError,
            OutputIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            ErrorIsJournal = IsJournal(global::System.Environment.GetEnvironmentVariable("JOURNAL_STREAM")),
            Manager = ServiceManager.Of(global::System.Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), TimeProvider.System),
            Width = () => Console.WindowWidth is > 0 and var columns ? columns : 80,
            Height = () => Console.WindowHeight is > 0 and var rows ? rows : 24,
            Environment = global::System.Environment.GetEnvironmentVariable,
            System = OperatingSystem.IsWindows() ? HostSystem.Windows : OperatingSystem.IsMacOS() ? HostSystem.MacOS : HostSystem.Linux,
            CurrentDirectory = global::System.Environment.CurrentDirectory,
            Stopping = stopping,
        };
    }

    /// <summary>Whether standard error is the socket that the variable names by device and inode (systemd.exec(5)), and not something that it was redirected to.</summary>
    private static bool IsJournal(string? device)
    {
        if (device?.Split(':') is not [_, { Length: > 0 } inode])
            return false;
        try
        {
            return new FileInfo("/proc/self/fd/2").LinkTarget == $"socket:[{inode}]";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
