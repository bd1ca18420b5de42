using System.Diagnostics;
using System.Runtime.InteropServices;

namespace P2P.Cli;

/// <summary>Ctrl-C, SIGTERM and SIGHUP ask for an orderly end; the second one, or 30 seconds after the first, ends the process at once.</summary>
/// <remarks>On Windows closing the console arrives as SIGHUP, the end of the session as SIGTERM.</remarks>
internal sealed class ShutdownSignals : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30); // a node that must close its index and its part files needs more than two
    private static readonly TimeSpan s_sameSignal = TimeSpan.FromMilliseconds(300); // "timeout -s INT" and some shells send each signal twice
    private readonly Lock _gate = new(); // guards _deadline and _first
    private readonly CancellationTokenSource _stopping = new();
    private readonly ManualResetEventSlim _ended = new(); // not disposed: a signal's thread may still be in it
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Timer? _deadline;
    private long _first;

    public ShutdownSignals()
    {
        foreach (PosixSignal signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stopping.Token;

    public void Dispose()
    {
        _ended.Set();
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _deadline?.Dispose();
        _stopping.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        Ask();

        // Windows ends the process as soon as this returns, or after some seconds of its own: whatever is to be kept must be on the disk by then.
        if (OperatingSystem.IsWindows() && context.Signal != PosixSignal.SIGINT)
            _ended.Wait(s_patience);
    }

    private void Ask()
    {
        lock (_gate)
        {
            if (_deadline is not null)
            {
                if (Stopwatch.GetElapsedTime(_first) > s_sameSignal)
                    Environment.Exit(ExitCodes.Interrupted);
                return;
            }

            _first = Stopwatch.GetTimestamp();
            _deadline = new Timer(static _ => Environment.Exit(ExitCodes.Interrupted), null, s_patience, Timeout.InfiniteTimeSpan);
        }

        // Off the signal's own thread: what is cancelled may run long, and the second signal must get through.
        ThreadPool.UnsafeQueueUserWorkItem(static stopping => stopping.Cancel(), _stopping, preferLocal: false);
    }
}
