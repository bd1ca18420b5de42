using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>
/// What a node does with its store, a step at a time: pins come and go, blocks are added, joined and collected, files are shared, edited and fetched.
/// Each step tells the history what it tries before it tries it.
/// </summary>
internal sealed partial class CrashWorkload(CrashWorld world, CrashHistory history, CrashInspector inspector, SeededRandom random, List<string> trace)
{
    private readonly Dictionary<string, PinId> _pins = new(StringComparer.Ordinal);
    private int _lastName;

    private BlockStore Store => world.Store;

    private CrashState Current => history.Current;

    /// <summary>Makes one step.</summary>
    public async Task StepAsync()
    {
        world.Time.Advance(TimeSpan.FromMilliseconds(random.Next(3) == 0 ? random.Next(5000) : 10));
        int kind = random.Next(100);
        Task step = kind switch
        {
            < 10 => AddPinAsync((PinKind)random.Next(6)),
            < 32 => AddOwnedAsync(),
            < 38 => AddExistingAsync(),
            < 44 => RemovePinAsync(),
            < 50 => UpdatePinAsync(),
            < 58 => CollectAsync(),
            < 62 => SetSettingAsync(),
            < 70 => ShareFileAsync(),
            < 75 => EditFileAsync(),
            < 87 => FetchAsync(),
            < 91 => ReadSomeAsync(),
            < 94 => CommitTogetherAsync(),
            < 96 => ForgetAndAddAgainAsync(),
            < 97 => AbandonAsync(),
            < 98 => CheckpointAsync(),
            _ => ReopenAsync(),
        };
        await step;
    }

    /// <summary>Takes note of what a store that was just opened holds.</summary>
    public void OnOpened()
    {
        _pins.Clear();
        foreach (Pin pin in Store.GetPins())
            _pins[pin.Name] = pin.Id;
        _fetchFiles.Clear();
        foreach ((int block, CrashBlock state) in Current.Blocks)
        {
            foreach ((int file, int offset) in state.Places)
            {
                if (!IsAt(block, file, offset))
                    _doubtful.Add(file);
            }
        }
    }

    /// <summary>Reads a block and compares: it may be missing only if it was never promised.</summary>
    public void CheckBlock(int block, BlockReadPurpose purpose)
    {
        CrashBlock? state = Current.Blocks.GetValueOrDefault(block);
        long failures = world.Disk.Failures;
        byte[]? data = inspector.ReadBlock(block, purpose);
        if (data is not null && !data.AsSpan().SequenceEqual(CrashCorpus.DataOf(block)))
            throw new CrashFailureException($"block {block} was served with wrong bytes ({purpose}); the index says {inspector.DescribePlaces(block)}");
        if (data is not null && state is null)
            throw new CrashFailureException($"block {block} is there and should not be");
        bool isPromised = state is not null && (state.IsOwned || state.Places.Any(place => !_doubtful.Contains(place.File) && IsAt(block, place.File, place.Offset)));
        if (data is null && isPromised && world.Disk.Failures == failures)
        {
            string places = string.Join("; ", state!.Places.Select(place => $"{Current.Files.GetValueOrDefault(place.File)} (file {place.File}) at {place.Offset}"));
            string indexed = inspector.DescribePlaces(block);
            throw new CrashFailureException($"block {block} is lost ({purpose}, {(state.IsOwned ? "owned" : "referenced")}); should be in {places}; the index says {indexed}");
        }
    }

    private async Task AddPinAsync(PinKind kind) => await AddPinAsync($"p{++_lastName}", kind);

    private async Task AddPinAsync(string name, PinKind kind)
    {
        Note($"add pin {name} {kind}");
        CrashState next = Current.WithPin(name, new CrashPin(kind, 0));
        history.Try(next);
        _pins[name] = await Store.AddPinAsync(new Pin { Kind = kind, Name = name }, CancellationToken.None);
        history.Acknowledge(next, Durability.Flushed);
    }

    private async Task AddOwnedAsync()
    {
        string? pin = AnyPin();
        using StoreBatch batch = Store.BeginBatch(IdOf(pin));
        CrashState next = Current;
        for (int count = random.Next(1, 6); count > 0; count--)
            next = AddOwned(batch, AnyBlock(), pin, next);
        await CommitAsync(batch, next, $"add owned to {pin}");
    }

    private CrashState AddOwned(StoreBatch batch, int block, string? pin, CrashState next)
    {
        batch.AddOwned(CrashCorpus.CidOf(block), CrashCorpus.DataOf(block));
        return next.WithBlock(block, pin, isOwned: true);
    }

    private async Task AddExistingAsync()
    {
        string? pin = AnyPin();
        using StoreBatch batch = Store.BeginBatch(IdOf(pin));
        CrashState next = Current;
        for (int count = random.Next(1, 5); count > 0; count--)
        {
            // Asking for one that is not there must not bring it.
            int block = random.Next(3) > 0 && Current.Blocks.Count > 0 ? Current.Blocks.Keys.ElementAt(random.Next(Current.Blocks.Count)) : AnyBlock();
            if (!batch.AddExisting(CrashCorpus.CidOf(block)))
                continue;
            if (!next.Blocks.ContainsKey(block))
                throw new CrashFailureException($"block {block} is said to be there and is not");
            next = next.WithBlock(block, pin);
        }
        await CommitAsync(batch, next, $"join to {pin}");
    }

    private async Task RemovePinAsync()
    {
        if (AnyFreePin() is { } pin)
            await RemovePinAsync(pin);
    }

    private async Task RemovePinAsync(string pin)
    {
        CrashState next = Current.WithoutPin(pin);
        if (random.Next(2) == 0)
        {
            using StoreBatch batch = Store.BeginBatch();
            batch.RemovePin(_pins[pin]);
            await CommitAsync(batch, next, $"remove pin {pin} in a batch");
            return;
        }
        Note($"remove pin {pin}");
        history.Try(next);
        await Store.RemovePinAsync(_pins[pin], CancellationToken.None);
        history.Acknowledge(next, Durability.Flushed);
    }

    private async Task UpdatePinAsync()
    {
        if (AnyFreePin() is not { } name || !Store.TryGetPin(_pins[name], out Pin? pin))
            return;
        CrashPin changed = new((PinKind)random.Next(6), pin!.Bytes + 1);
        using StoreBatch batch = Store.BeginBatch();
        batch.UpdatePin(pin with { Kind = changed.Kind, Bytes = changed.Bytes });
        await CommitAsync(batch, Current.WithPin(name, changed), $"update pin {name} to {changed.Kind}");
    }

    private async Task CollectAsync()
    {
        Note("collect garbage");
        CrashState next = Current.WithoutGarbage();
        history.Try(next);
        await world.Patiently(Store.CollectGarbageAsync(CancellationToken.None), "collecting");
        history.Acknowledge(next, Durability.Visible);
    }

    private async Task SetSettingAsync()
    {
        string key = $"key{random.Next(3)}";
        string? value = random.Next(3) == 0 ? null : $"{++_lastName}";
        Note($"set {key} to {value ?? "nothing"}");
        CrashState next = Current.WithSetting(key, value);
        history.Try(next);
        await Store.SetSettingAsync(key, value, CancellationToken.None);
        history.Acknowledge(next, Durability.Flushed);
    }

    private Task ReadSomeAsync()
    {
        Note("read some blocks");
        for (int count = random.Next(1, 8); count > 0; count--)
            CheckBlock(AnyBlock(), random.Next(2) == 0 ? BlockReadPurpose.Serve : BlockReadPurpose.Verify);
        return Task.CompletedTask;
    }

    /// <summary>Several commits at once: the writer may make one transaction of them or several, in any order.</summary>
    private async Task CommitTogetherAsync()
    {
        List<(StoreBatch Batch, Durability Durability, string? Pin, int[] Blocks)> commits = [];
        try
        {
            for (int i = random.Next(2, 4); i > 0; i--)
            {
                string? pin = AnyPin();
                (StoreBatch Batch, Durability Durability, string? Pin, int[] Blocks) commit = (Store.BeginBatch(IdOf(pin)), AnyDurability(), pin, [AnyBlock(), AnyBlock()]);
                commits.Add(commit);
                foreach (int block in commit.Blocks)
                    AddOwned(commit.Batch, block, pin, Current);
            }
            Note($"commit {commits.Count} batches together");
            CrashState before = Current;
            CrashState After(int chosen) => commits.Where((_, i) => (chosen & (1 << i)) != 0).Aggregate(
                before, (state, commit) => commit.Blocks.Aggregate(state, (inner, block) => inner.WithBlock(block, commit.Pin, isOwned: true)));
            int all = (1 << commits.Count) - 1;
            for (int chosen = 1; chosen <= all; chosen++)
                history.Try(After(chosen));
            Task[] tasks = [.. commits.Select(commit => commit.Batch.CommitAsync(commit.Durability, CancellationToken.None))];
            await Task.WhenAll(tasks.Select(task => task.ContinueWith(_ => { }, TaskScheduler.Default)));
            int done = 0, flushed = 0;
            for (int i = 0; i < tasks.Length; i++)
            {
                done |= tasks[i].IsCompletedSuccessfully ? 1 << i : 0;
                flushed |= tasks[i].IsCompletedSuccessfully && commits[i].Durability == Durability.Flushed ? 1 << i : 0;
            }
            NoteTogether(After, all, done, flushed);
            foreach (Task task in tasks)
                await task;
        }
        finally
        {
            foreach ((StoreBatch batch, _, _, _) in commits)
                batch.Dispose();
        }
    }

    /// <summary>What was flushed is there; of the others any may have come before it or after, and what failed may be in the log.</summary>
    private void NoteTogether(Func<int, CrashState> after, int all, int done, int flushed)
    {
        if (done == 0)
            return;
        int[] possible = [.. Enumerable.Range(0, all + 1).Where(chosen => (chosen & flushed) == flushed)];
        history.Acknowledge(after(flushed), flushed != 0 ? Durability.Flushed : Durability.Visible);
        foreach (int chosen in possible.Where(chosen => chosen != done && (chosen & done) == chosen))
            history.Acknowledge(after(chosen), Durability.Visible);
        history.Acknowledge(after(done), Durability.Visible);
        foreach (int chosen in possible.Where(chosen => (chosen & done) != chosen))
            history.Try(after(chosen));
    }

    /// <summary>The same blocks are let go, collected and added again: their files go and come under the same names.</summary>
    private async Task ForgetAndAddAgainAsync()
    {
        if (AnyFreePin() is not { } pin)
            return;
        int[] blocks = [.. Current.Blocks.Where(block => block.Value.Pins.Contains(pin)).Select(block => block.Key).Take(4)];
        await RemovePinAsync(pin);
        await CollectAsync();
        string? other = AnyPin();
        using StoreBatch batch = Store.BeginBatch(IdOf(other));
        await CommitAsync(batch, blocks.Aggregate(Current, (next, block) => AddOwned(batch, block, other, next)), $"add again to {other}");
    }

    private Task AbandonAsync()
    {
        Note("abandon a batch");
        using StoreBatch batch = Store.BeginBatch(IdOf(AnyPin()));
        for (int count = random.Next(1, 4); count > 0; count--)
            AddOwned(batch, AnyBlock(), null, Current);
        return Task.CompletedTask;
    }

    private Task CheckpointAsync()
    {
        Note("write the log back");
        inspector.Checkpoint();
        return Task.CompletedTask;
    }

    private async Task ReopenAsync()
    {
        Note("close and open");
        long failures = world.Disk.Failures;
        await world.CloseAsync();
        if (world.Disk.IsDead)
            return;
        if (world.Disk.Failures == failures)
            history.Settle(Current);
        await world.OpenAsync();
        if (world.Disk.IsDead)
            return;
        history.GoOn(Current.Started());
        OnOpened();
    }

    private async Task CommitAsync(StoreBatch batch, CrashState next, string what)
    {
        Durability durability = AnyDurability();
        Note($"{what}, {batch.Count} changes, {durability}");
        history.Try(next);
        long failures = world.Disk.Failures;
        try
        {
            await batch.CommitAsync(durability, CancellationToken.None);
        }
        catch (P2PException) when (!world.Disk.IsDead && world.Disk.Failures > failures && random.Next(2) == 0)
        {
            await CommitAgainAsync(batch, durability);
        }
        history.Acknowledge(next, durability);
    }

    /// <summary>A batch that failed can be committed again, unless the store no longer knows what the disk has of it, and says so.</summary>
    private async Task CommitAgainAsync(StoreBatch batch, Durability durability)
    {
        Note("commit again");
        world.Disk.Mend();
        try
        {
            await batch.CommitAsync(durability, CancellationToken.None);
        }
        catch (P2PException error) when (!world.Disk.IsDead && !error.Message.Contains("anew", StringComparison.Ordinal))
        {
            throw new CrashFailureException($"a commit that failed cannot be made again: {error.Message}", error);
        }
    }

    private void Note(string step) => trace.Add($"{world.Disk.Operations,5}  {step}");

    private Durability AnyDurability() => random.Next(2) == 0 ? Durability.Visible : Durability.Flushed;

    /// <summary>Mostly small ones: they cost less, and what is special about large ones happens to few as well.</summary>
    private int AnyBlock() => random.Next(5) == 0 ? random.Next(CrashCorpus.SmallBlocks, CrashCorpus.Blocks) : random.Next(CrashCorpus.SmallBlocks);

    private string? AnyPin() => Current.Pins.Count == 0 || random.Next(6) == 0 ? null : Current.Pins.Keys.ElementAt(random.Next(Current.Pins.Count));

    /// <summary>A pin that no fetch holds.</summary>
    private string? AnyFreePin()
    {
        string[] free = [.. Current.Pins.Keys.Where(pin => !Current.Resumes.Values.Any(resume => resume.Pin == pin))];
        return free.Length == 0 ? null : free[random.Next(free.Length)];
    }

    private PinId IdOf(string? pin) => pin is null ? default : _pins[pin];
}
