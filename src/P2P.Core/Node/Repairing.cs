using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>
/// Mends the store: what turns out wrong is taken out of service, what another place on this machine has is served from there, the rest is asked for among
/// peers, and what nobody has is said. The user's files are read and never touched.
/// </summary>
internal sealed class Repairing(NodeRuntime runtime, RepairOptions options, IProgress<RepairProgress>? progress)
{
    /// <summary>Places taken out of service in one transaction (count).</summary>
    private const int DropsPerCommit = 256;

    /// <summary>Blocks looked for in one repair (count): 100 MiB of memory at worst. The next repair goes on.</summary>
    private const int MaxMissing = 1 << 20;

    private const int MaxListed = 1000;

    private readonly BlockRefetch _refetch = new(runtime, options);
    private readonly List<StoreFinding> _lost = [];
    private long _damaged;
    private long _lostCount;
    private bool _isIndexDamaged;
    private VerifyProgress _verified;
    private long _missing;

    /// <summary>Repairs; see <see cref="ContentStore.RepairAsync"/>.</summary>
    public Task<RepairReport> RepairAsync(CancellationToken cancellationToken) => runtime.RunAsync(RepairHereAsync, cancellationToken);

    private async Task<RepairReport> RepairHereAsync(CancellationToken cancellationToken)
    {
        bool wasRebuilt = runtime.Store.WasRebuilt;
        var reassembly = new Reassembly(runtime, _refetch);
        if (wasRebuilt)
        {
            await reassembly.RunAsync(Report, cancellationToken).ConfigureAwait(false);
            foreach ((Cid block, Pin pin) in reassembly.Lost)
                OnLost(new StoreFinding(FindingKind.Lost, "", null, block) { IsLost = true, Affects = [pin.Name.Length > 0 ? pin.Name : pin.Root.ToString()] });
        }

        Dictionary<Cid, StoreFinding> missing = await DropDamageAsync(cancellationToken).ConfigureAwait(false);
        long restored = Math.Max(0, _damaged - missing.Count);
        _missing = missing.Count;
        foreach ((Pin pin, List<Cid> blocks) in ByPin(missing.Keys))
            await _refetch.FetchAsync(pin, blocks, cid => OnLost(missing[cid]), Report, cancellationToken).ConfigureAwait(false);
        Report();
        return new RepairReport(_damaged, restored, _refetch.Refetched, _refetch.Bytes, _lostCount)
        {
            Lost = _lost,
            Incomplete = reassembly.Incomplete,
            IsIndexDamaged = _isIndexDamaged,
            WasRebuilt = wasRebuilt,
        };
    }

    /// <summary>Verifies, and takes out of service what is wrong. Returns what is kept for something and has no good place here any more.</summary>
    private async Task<Dictionary<Cid, StoreFinding>> DropDamageAsync(CancellationToken cancellationToken)
    {
        var missing = new Dictionary<Cid, StoreFinding>();
        var drops = new List<DamagedPlace>();
        var verification = new Relay(value =>
        {
            _verified = value;
            Report();
        });
        await foreach (DamagedPlace damaged in runtime.Store.FindDamageAsync(verification, cancellationToken).ConfigureAwait(false))
        {
            if (damaged.Finding.Kind == FindingKind.Index)
            {
                _isIndexDamaged = true;
                continue;
            }
            if (damaged.Finding.Kind != FindingKind.Lost)
            {
                _damaged++;
                drops.Add(damaged);
            }
            if (damaged.Finding.IsLost && missing.Count < MaxMissing)
                missing.TryAdd(damaged.Finding.Cid, damaged.Finding);
            if (drops.Count < DropsPerCommit)
                continue;
            await runtime.Store.DropAsync(drops, cancellationToken).ConfigureAwait(false);
            drops.Clear();
        }
        await runtime.Store.DropAsync(drops, cancellationToken).ConfigureAwait(false);
        return missing;
    }

    /// <summary>Each block under the first pin that needs it, served ones first: others may wait for those.</summary>
    private Dictionary<Pin, List<Cid>> ByPin(IEnumerable<Cid> blocks)
    {
        var byPin = new Dictionary<Pin, List<Cid>>();
        foreach (Cid block in blocks)
        {
            if (runtime.Store.GetPinsOf(block).OrderByDescending(pin => pin.Kind.IsServed()).ThenByDescending(pin => pin.Hints.Length).FirstOrDefault() is not { } pin)
                continue; // let go meanwhile
            if (!byPin.TryGetValue(pin, out List<Cid>? list))
                byPin[pin] = list = [];
            list.Add(block);
        }
        return byPin;
    }

    private void OnLost(StoreFinding finding)
    {
        _lostCount++;
        if (_lost.Count < MaxListed)
            _lost.Add(finding);
    }

    private void Report() => progress?.Report(new RepairProgress(_verified, _refetch.Refetched, Math.Max(0, _missing - _refetch.Refetched - _lostCount)));

    private sealed class Relay(Action<VerifyProgress> onReport) : IProgress<VerifyProgress>
    {
        public void Report(VerifyProgress value) => onReport(value);
    }
}
