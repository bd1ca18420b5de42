using System.Runtime.CompilerServices;
using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>
/// Reads everything that the store is responsible for and hashes it: blocks in the index and in files, and the stretches of the user's files that a pin keeps.
/// Changes nothing. Goes through the index in slices, each read in the order of the disk by all cores; what was found wrong is looked at a second time,
/// since the store goes on working meanwhile.
/// </summary>
internal sealed class StoreVerifier(
    IndexReaders readers,
    PinTable pins,
    OwnedFiles owned,
    ShareKeys keys,
    StoreSweeper sweeper,
    UsageTable usage,
    BlockBufferPool buffers,
    Func<IndexConnection> open,
    string indexPath,
    TimeProvider time)
{
    /// <summary>Blocks looked at together (count): 2 MiB of memory, and long enough that a disk reads forward.</summary>
    private const int SliceBlocks = 16_384;

    /// <summary>Neighbouring places that one worker takes at a time (count).</summary>
    private const int RunLength = 4;

    /// <summary>Faults of the index that are listed (count).</summary>
    private const int MaxIndexFaults = 20;

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private long _blocks;
    private long _bytes;
    private long _findings;

    /// <summary>Verifies once. Source files that are gone are told once each, leftovers at the end.</summary>
    public async IAsyncEnumerable<StoreFinding> VerifyAsync(IProgress<VerifyProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<long> missing = [];
        await foreach (DamagedPlace damaged in FindDamageAsync(progress, cancellationToken).ConfigureAwait(false))
        {
            if (damaged.Outcome != CheckOutcome.Missing || missing.Add(damaged.Check.Source.File))
                yield return damaged.Finding;
        }
        foreach (string left in owned.ListLeftTemporaries())
            yield return Leftover(left);
        await foreach ((string path, _) in sweeper.FindOrphansAsync(cancellationToken).ConfigureAwait(false))
            yield return Leftover(path);
        progress?.Report(Progress());
    }

    /// <summary>Every place that is not right, block by block; the places of a file that is gone each for itself.</summary>
    public async IAsyncEnumerable<DamagedPlace> FindDamageAsync(IProgress<VerifyProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<string> faults = await WatchAsync(Task.Run(CheckIndex, cancellationToken), progress).ConfigureAwait(false);
        foreach (string fault in faults)
        {
            _findings++;
            yield return new DamagedPlace(default, default, CheckOutcome.Wrong, new StoreFinding(FindingKind.Index, indexPath, null, default) { Detail = fault });
        }
        byte[]? after = [];
        while (after is not null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (List<KeyedRow>? rows, byte[]? next, P2PException? failure) = ReadSlice(after);
            if (failure is not null)
            {
                // the pages behind this one cannot be reached by key
                _findings++;
                yield return new DamagedPlace(default, default, CheckOutcome.Wrong, new StoreFinding(FindingKind.Index, indexPath, null, default) { Detail = failure.Message });
                yield break;
            }
            List<DamagedPlace> damage = await WatchAsync(Task.Run(() => CheckSliceAsync(rows!, cancellationToken), cancellationToken), progress).ConfigureAwait(false);
            after = next;
            _findings += damage.Count;
            foreach (DamagedPlace place in damage)
                yield return place;
        }
    }

    private StoreFinding Leftover(string path) => new(FindingKind.Leftover, path, null, default) { Detail = $"{owned.SizeOf(path)} bytes" };

    private VerifyProgress Progress() =>
        new(Interlocked.Read(ref _blocks), Interlocked.Read(ref _bytes), usage.Committed.Where(row => row.Standing != BlockStanding.Lost).Sum(row => row.Count.Bytes), _findings);

    /// <summary>Reports while a task runs.</summary>
    private async Task<T> WatchAsync<T>(Task<T> work, IProgress<VerifyProgress>? progress)
    {
        while (!work.IsCompleted)
        {
            await ((Task)work).WaitAsync(ReportInterval, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            progress?.Report(Progress());
        }
        return await work.ConfigureAwait(false);
    }

    /// <summary>Lets SQLite check its own pages, on a connection of its own: it takes a while.</summary>
    private List<string> CheckIndex()
    {
        List<string> faults = [];
        try
        {
            using IndexConnection connection = open();
            connection.Run("PRAGMA query_only=1;");
            using IndexStatement check = connection.Prepare($"PRAGMA integrity_check({MaxIndexFaults})");
            while (check.Step())
            {
                string text = check.GetText(0);
                if (text != "ok")
                    faults.Add(text);
            }
        }
        catch (P2PException error) when (error.Code == P2PErrorCode.Store)
        {
            faults.Add(error.Message);
        }
        return faults;
    }

    private (List<KeyedRow>? Rows, byte[]? Next, P2PException? Failure) ReadSlice(byte[] after)
    {
        List<KeyedRow> rows = new(SliceBlocks);
        try
        {
            using IndexReaders.Lease lease = readers.Take();
            lease.Reader.ForEach(
                $"SELECT size, places, pin_set, file, offset, blob, key FROM blocks WHERE key>?1 ORDER BY key LIMIT {SliceBlocks}",
                statement => statement.Bind(1, after),
                row => rows.Add(new KeyedRow(new MultihashKey(row.GetBlob(6)), IndexReader.ReadBlock(row))));
        }
        catch (P2PException error) when (error.Code == P2PErrorCode.Store)
        {
            return (null, null, error);
        }
        return (rows, rows.Count == SliceBlocks ? rows[^1].Key.ToArray() : null, null);
    }

    private async Task<List<DamagedPlace>> CheckSliceAsync(List<KeyedRow> rows, CancellationToken cancellationToken)
    {
        BlockCheck[] checks = [.. ChecksOf(rows).OrderBy(check => check.Kind).ThenBy(check => check.Source.File).ThenBy(check => check.Order)];
        var outcomes = new CheckOutcome[checks.Length];
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(CheckRuns, cancellationToken))).ConfigureAwait(false);
        return Judge(rows, checks, outcomes);

        void CheckRuns()
        {
            using PlaceChecker checker = new(readers, owned, keys, buffers);
            int begin;
            while ((begin = Interlocked.Add(ref next, RunLength) - RunLength) < checks.Length)
            {
                for (int i = begin; i < Math.Min(begin + RunLength, checks.Length); i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    KeyedRow block = rows[checks[i].Block];
                    outcomes[i] = checker.Check(block, checks[i]);
                    Interlocked.Add(ref _bytes, block.Row.Size);
                }
            }
        }
    }

    private IEnumerable<BlockCheck> ChecksOf(List<KeyedRow> rows)
    {
        for (int i = 0; i < rows.Count; i++)
        {
            BlockRow row = rows[i].Row;
            if ((row.Places & BlockPlaces.Inline) != 0)
                yield return new BlockCheck(i, BlockPlaces.Inline, default, row.Blob);
            if ((row.Places & BlockPlaces.OwnedFile) != 0)
                yield return new BlockCheck(i, BlockPlaces.OwnedFile, default, i);
            if (!pins.IsKept(row.PinSet))
                continue;
            if (row.HasSource)
                yield return new BlockCheck(i, BlockPlaces.Source, new SourcePlace(row.File, row.Offset), row.Offset);
            if (!row.HasMoreSources)
                continue;
            List<SourcePlace> places;
            using (IndexReaders.Lease lease = readers.Take())
                places = lease.Reader.FindSources(rows[i].Key.ToArray());
            foreach (SourcePlace place in places)
                yield return new BlockCheck(i, BlockPlaces.Source, place, place.Offset);
        }
    }

    private List<DamagedPlace> Judge(List<KeyedRow> rows, BlockCheck[] checks, CheckOutcome[] outcomes)
    {
        using PlaceChecker checker = new(readers, owned, keys, buffers);
        bool[] isSomewhere = new bool[rows.Count];
        for (int i = 0; i < checks.Length; i++)
            isSomewhere[checks[i].Block] |= outcomes[i] is CheckOutcome.Right;
        List<DamagedPlace> damage = [];
        for (int i = 0; i < checks.Length; i++)
        {
            KeyedRow block = rows[checks[i].Block];
            bool isBad = outcomes[i] is CheckOutcome.Wrong or CheckOutcome.Missing || (outcomes[i] == CheckOutcome.Stale && !isSomewhere[checks[i].Block]);
            if (isBad && IsStillBad(checker, ref block, checks[i], out CheckOutcome outcome))
                damage.Add(new DamagedPlace(block, checks[i], outcome, Describe(checker, block, checks[i], outcome, !isSomewhere[checks[i].Block])));
        }
        for (int i = 0; i < rows.Count; i++)
        {
            _blocks++;
            if (rows[i].Row.Places == BlockPlaces.None && IsLostNow(rows[i]))
                damage.Add(new DamagedPlace(rows[i], default, CheckOutcome.Wrong, new StoreFinding(FindingKind.Lost, indexPath, null, rows[i].Cid) { IsLost = true, Affects = Affected(rows[i].Row.PinSet) }));
        }
        return damage;
    }

    private bool IsLostNow(in KeyedRow block)
    {
        using IndexReaders.Lease lease = readers.Take();
        return lease.Reader.TryFind(block.Key.ToArray(), out BlockRow row) && row.Places == BlockPlaces.None && pins.IsKept(row.PinSet);
    }

    /// <summary>Whether a place that was found wrong is there still, and still wrong.</summary>
    public bool IsStillBad(DamagedPlace place)
    {
        using PlaceChecker checker = new(readers, owned, keys, buffers);
        KeyedRow block = place.Block;
        return IsStillBad(checker, ref block, place.Check, out CheckOutcome outcome) && outcome != CheckOutcome.Missing;
    }

    /// <summary>The store goes on working: a block may have been removed, moved or replaced since its row was read.</summary>
    private bool IsStillBad(PlaceChecker checker, ref KeyedRow block, in BlockCheck check, out CheckOutcome outcome)
    {
        outcome = CheckOutcome.Right;
        BlockRow row;
        List<SourcePlace> others = [];
        using (IndexReaders.Lease lease = readers.Take())
        {
            byte[] key = block.Key.ToArray();
            if (!lease.Reader.TryFind(key, out row))
                return false;
            if (row.HasMoreSources)
                others = lease.Reader.FindSources(key);
        }
        block = block with { Row = row };
        bool isThere = check.Kind == BlockPlaces.Source
            ? (row.HasSource && new SourcePlace(row.File, row.Offset) == check.Source) || others.Contains(check.Source)
            : (row.Places & check.Kind) != 0;
        if (!isThere)
            return false;
        checker.Close();
        outcome = checker.Check(block, check);
        return outcome is CheckOutcome.Wrong or CheckOutcome.Missing or CheckOutcome.Stale;
    }

    private StoreFinding Describe(PlaceChecker checker, in KeyedRow block, in BlockCheck check, CheckOutcome outcome, bool isLost)
    {
        (string path, long offset) = checker.PlaceOf(check.Source, block.Row.Size);
        StoreFinding finding = check.Kind switch
        {
            BlockPlaces.Inline => new StoreFinding(FindingKind.Block, indexPath, null, block.Cid),
            BlockPlaces.OwnedFile => new StoreFinding(FindingKind.Block, owned.PathOf(block.Key.ToArray()), 0, block.Cid),
            _ when outcome == CheckOutcome.Missing => new StoreFinding(FindingKind.MissingSource, path, null, block.Cid),
            _ => new StoreFinding(FindingKind.Source, path, offset, block.Cid),
        };
        return finding with { IsLost = isLost && pins.IsKept(block.Row.PinSet), Affects = Affected(block.Row.PinSet) };
    }

    private IReadOnlyList<string> Affected(long set) => [.. pins.PinsOf(set).Select(pin => pin.Name.Length > 0 ? pin.Name : pin.Root.ToString()).Distinct(StringComparer.Ordinal)];
}
