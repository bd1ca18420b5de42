using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>
/// Frees in idle times what no pin keeps any more: the inner nodes of finished fetches, shares that were ended.
/// Runs once after a start and after each <see cref="Signal"/>, when for a while nothing was transferred, imported or served.
/// </summary>
internal sealed class GarbageCollection(NodeRuntime runtime)
{
    /// <summary>How long nothing may have happened before it begins. Longer than a pause between two commands of a script.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(20);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger("P2P.Core.Node");
    private readonly Channel<bool> _signals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Something was let go.</summary>
    public void Signal() => _signals.Writer.TryWrite(true);

    /// <summary>
    /// A try to fetch whose user removed its part file keeps its nodes no longer. Before anything is fetched: a try that begins meanwhile would lose its pin.
    /// </summary>
    public async Task DropAbandonedAsync(CancellationToken cancellationToken)
    {
        foreach (ResumeState resume in runtime.Store.GetResumes())
        {
            if (resume.PartPath.Length == 0 || Path.Exists(resume.PartPath) || !Directory.Exists(Path.GetDirectoryName(resume.PartPath)))
                continue; // a pin gathers in the store; a folder that is not there may lie on a disk that is not mounted
            using StoreBatch batch = runtime.Store.BeginBatch(resume.Pin);
            batch.RemoveResume(resume.Key);
            batch.RemovePin(resume.Pin);
            await batch.CommitAsync(Durability.Visible, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The loop; ends with the token.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Signal(); // what an earlier run left
        while (true)
        {
            await _signals.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            await WaitUntilQuietAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await CollectAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (P2PException e)
            {
                NodeLog.GarbageNotCollected(_logger, e); // it takes space and nothing else; the next signal tries again
            }
        }
    }

    /// <summary>Collects now, and slower while something is transferred, imported or served.</summary>
    public Task<GarbageReport> CollectAsync(CancellationToken cancellationToken)
    {
        long served = runtime.Bitswap.BytesServed;
        return runtime.Store.CollectGarbageAsync(
            () =>
            {
                long before = served;
                served = runtime.Bitswap.BytesServed;
                return runtime.IsBusy || served != before;
            },
            cancellationToken);
    }

    private async Task WaitUntilQuietAsync(CancellationToken cancellationToken)
    {
        long served = -1;
        while (runtime.IsBusy || served != runtime.Bitswap.BytesServed)
        {
            served = runtime.Bitswap.BytesServed;
            await Task.Delay(Quiet, runtime.Time, cancellationToken).ConfigureAwait(false);
        }
    }
}
