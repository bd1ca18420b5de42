using P2P.Cli.Commands;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli;

/// <summary>Turns a failure into one sentence, one event and one exit code.</summary>
internal static class FailureReport
{
    private const int NoSpaceLeft = 28;                                   // ENOSPC
    private const int QuotaExceeded = 122;                                // EDQUOT
    private const int WindowsDiskFull = unchecked((int)0x80070070);       // ERROR_DISK_FULL

    /// <summary>Tells the user.</summary>
    /// <returns>The exit code.</returns>
    public static int Write(CommandContext context, Exception failure)
    {
        if (failure is ClosedPipeException)
            return ExitCodes.Done;
        (string code, string message) = Describe(failure, context.Stopping.IsCancellationRequested);
        context.Screen.EndLive();
        try
        {
            if (context.Events is { } events)
                events.Write(new ErrorEvent(code, message));
            else if (code == ExitCodes.InterruptedCode)
                context.Screen.Line(message);
            else
                context.Screen.Error(SafeText.Clean(message));
        }
        catch (ClosedPipeException)
        {
            return ExitCodes.Done;
        }

        if (context.Settings.Verbose && failure is not (UsageException or InterruptedException))
            context.Screen.Important(SafeText.CleanLines(failure.ToString()));
        return ExitCodes.Of(code);
    }

    /// <summary>The error's name and its sentence.</summary>
    public static (string Code, string Message) Describe(Exception failure, bool isStopping) => failure switch
    {
        UsageException => (ExitCodes.UsageCode, failure.Message),
        InterruptedException => (ExitCodes.InterruptedCode, failure.Message),
        OperationCanceledException when isStopping => (ExitCodes.InterruptedCode, "Interrupted."),
        P2PException known => (ExitCodes.NameOf(known.Code), known.Message),
        UnauthorizedAccessException => (ExitCodes.NameOf(P2PErrorCode.Permission), failure.Message),
        IOException { HResult: NoSpaceLeft or QuotaExceeded or WindowsDiskFull } => (ExitCodes.NameOf(P2PErrorCode.NoSpace), failure.Message),
        FileNotFoundException or DirectoryNotFoundException => (ExitCodes.NameOf(P2PErrorCode.NotFound), failure.Message),
        IOException => (ExitCodes.NameOf(P2PErrorCode.Store), failure.Message),
        ArgumentException => (ExitCodes.UsageCode, failure.Message),
        _ => (ExitCodes.InternalCode, $"This should not have happened: {failure.GetType().Name}: {failure.Message} (--verbose shows where)"),
    };
}
