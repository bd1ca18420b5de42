using System.Diagnostics;
using System.Runtime.InteropServices;

namespace P2P.Cli;

/// <summary>Ctrl-C, SIGTERM and SIGHUP ask for an orderly end; the second one, or 30 seconds after the first, ends the process at once.</summary>
internal sealed class ShutdownSignals : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30); // a node that must close its index and its part files needs more than two
    private static readonly TimeSpan s_sameSignal = TimeSpan.FromMilliseconds(300); // "timeout -s INT" and some shells send each signal twice
    private readonly Lock _gate = new(); // guards _deadline and _first
    private readonly CancellationTokenSource _stopping = new();
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
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _deadline?.Dispose();
        _stopping.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
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
