using P2P.Core.Blocks;
using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>
/// One seed: a few lives of a store on one disk. In each the store is opened (the power may go meanwhile), what it holds is compared with the model, a few
/// steps are made, in some lives on a disk that fails or is full, and the power goes or the process ends at some operation of them.
/// </summary>
internal sealed class CrashScenario : IAsyncDisposable
{
    private const int MaxLives = 4;
    private const int MaxSteps = 14;

    /// <summary>The power goes within this many operations of the step that was chosen.</summary>
    private const int MaxOperationsToCut = 40;

    private readonly SeededRandom _random;
    private readonly CrashWorld _world;
    private readonly CrashHistory _history = new();
    private readonly CrashInspector _inspector;
    private readonly CrashWorkload _workload;
    private readonly List<string> _trace = [];
    private readonly HashSet<int> _flipped = [];

    /// <summary>Whether the power went since the store was compared last; otherwise only processes ended.</summary>
    private bool _isPowerCut;

    /// <summary>Whether the fault at work is a full disk.</summary>
    private bool _isFull;

    private CrashScenario(ulong seed, BlockBufferPool buffers, Action<FaultyDisk>? prepare)
    {
        _random = new SeededRandom(seed);
        VirtualTime time = new();
        FaultyDisk disk = new(_random.Fork(), time);
        disk.CreateFolder(CrashWorld.UserPath);
        foreach (string folder in new[] { CrashWorld.UserPath, "/home/user", "/home", "/" })
            disk.FlushFolder(folder);
        prepare?.Invoke(disk);
        _world = new CrashWorld(_random, buffers, disk, time);
        _inspector = new CrashInspector(_world);
        _workload = new CrashWorkload(_world, _history, _inspector, _random, _trace);
    }

    /// <summary>Ends of power or process so far (count).</summary>
    private int Cuts { get; set; }

    /// <summary>Runs a seed.</summary>
    /// <param name="seed">Everything follows from it, but for the order of threads.</param>
    /// <param name="buffers">Memory for blocks, shared by runs.</param>
    /// <param name="prepare">Gives the disk vices that it shall have.</param>
    /// <returns>How often the power went or the process ended.</returns>
    /// <exception cref="CrashFailureException">A promise was broken; the message tells which and what led there.</exception>
    public static async Task<int> RunAsync(ulong seed, BlockBufferPool buffers, Action<FaultyDisk>? prepare = null)
    {
        await using CrashScenario scenario = new(seed, buffers, prepare);
        try
        {
            await scenario.RunAsync();
        }
        catch (Exception error)
        {
            string trace = string.Join('\n', scenario._trace);
            throw new CrashFailureException($"{error.Message}\nWhat was done (numbers are operations of the disk):\n{trace}", error);
        }
        return scenario.Cuts;
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task RunAsync()
    {
        int lives = _random.Next(1, MaxLives + 1);
        for (int life = 0; life < lives; life++)
        {
            await OpenAsync();
            await LiveAsync();
            await EndAsync("");
        }
        await OpenAsync();
    }

    /// <summary>The power goes, or only the process; perhaps the disk ages meanwhile.</summary>
    private async Task EndAsync(string when)
    {
        _isPowerCut |= _random.Next(4) > 0;
        _trace.Add($"{(_isPowerCut ? "the power goes" : "the process ends")}{when}");
        Cuts++;
        await _world.RestartAsync(_isPowerCut);
        _world.Time.Advance(TimeSpan.FromSeconds(_random.Next(10)));
        if (_random.Next(8) == 0)
            FlipBits();
    }

    private void FlipBits()
    {
        List<string> files = [.. _world.Disk.ListFiles($"{CrashWorld.DataPath}/blocks").Order(StringComparer.Ordinal)];
        if (files.Count == 0)
            return;
        string path = files[_random.Next(files.Count)];
        if (_world.Disk.FindFile(path) is not { Length: > 0 } file || CrashCorpus.NumberOf(Convert.FromHexString(Path.GetFileName(path))) is not (>= 0 and var block))
            return;
        _trace.Add($"a bit of block {block} flips");
        _world.Disk.Flip(path, _random.Next(file.Length), (byte)(1 << _random.Next(8)));
        _flipped.Add(block);
    }

    /// <summary>Opens the store, through further ends if chance wants them, and checks what it holds.</summary>
    private async Task OpenAsync()
    {
        for (int cutsLeft = _random.Next(4) == 0 ? _random.Next(1, 4) : 0; ; cutsLeft--)
        {
            if (cutsLeft > 0)
                _world.Disk.CutPowerAfter(_random.Next(1, MaxOperationsToCut));
            try
            {
                _trace.Add("open");
                await _world.OpenAsync();
                if (!_world.Disk.IsDead)
                    _world.Disk.CutPowerAfter(int.MaxValue);
            }
            catch (P2PException) when (_world.Disk.IsDead)
            {
                // Below.
            }
            if (!_world.Disk.IsDead)
                break;
            await EndAsync(" while it opens");
        }
        await CheckFlippedAsync();
        Compare();
        _isPowerCut = false;
        _workload.OnOpened();
        _inspector.CheckInvariants(isSwept: true);
        CheckBlocks();
    }

    /// <summary>Damage is found when it is read, and then no longer claimed.</summary>
    private async Task CheckFlippedAsync()
    {
        if (_flipped.Count == 0)
            return;
        Dictionary<int, bool> isRight = _flipped.ToDictionary(block => block, block => _inspector.ReadBlock(block, BlockReadPurpose.Serve) is not null);
        await _world.Store.SetSettingAsync("settle", null, CancellationToken.None);
        CrashState actual = _inspector.Read();
        foreach (int block in _flipped)
        {
            bool isClaimed = actual.Blocks.GetValueOrDefault(block) is { IsOwned: true };
            if (isClaimed && !isRight[block])
                throw new CrashFailureException($"block {block} is damaged, was read and is still claimed");
            if (!isClaimed)
                _history.Change(state => state.WithDamaged(block));
        }
    }

    private async Task LiveAsync()
    {
        int steps = _random.Next(1, MaxSteps), cutStep = _random.Next(steps + 1), faultStep = _random.Next(3) == 0 ? _random.Next(steps) : -1;
        for (int step = 0; step < steps && !_world.Disk.IsDead; step++)
        {
            if (step == cutStep)
                _world.Disk.CutPowerAfter(_random.Next(1, MaxOperationsToCut));
            if (step == faultStep)
                AddFault();
            await StepAsync();
        }
        _world.Disk.Mend();
        if (_world.Disk.IsDead || _random.Next(4) > 0)
            return;
        _trace.Add("close");
        await _world.CloseAsync();
        if (!_world.Disk.IsDead)
            _history.Settle(_history.Current);
    }

    private void AddFault()
    {
        _isFull = false;
        switch (_random.Next(4))
        {
            case 0:
                _isFull = true;
                _world.Disk.FreeBytes = _random.Next(3) == 0 ? 0 : _random.Next(100_000);
                _trace.Add($"{_world.Disk.FreeBytes} bytes are free");
                break;
            case 1:
                int operations = _random.Next(1, 25), count = _random.Next(1, 4);
                _world.Disk.FailAfter(operations, count);
                _trace.Add($"in {operations} operations {count} will fail");
                break;
            case 2:
                int flushes = _random.Next(1, 5);
                _world.Disk.FailFlushAfter(flushes);
                _trace.Add($"in {flushes} flushes one will fail");
                break;
            default:
                int reads = _random.Next(1, 60);
                _world.Disk.FailReadAfter(reads);
                _trace.Add($"in {reads} reads one will fail");
                break;
        }
    }

    private async Task StepAsync()
    {
        long failures = _world.Disk.Failures;
        try
        {
            await _workload.StepAsync();
        }
        catch (Exception error) when (_world.Disk.IsDead && error is (P2PException or IOException))
        {
            _trace.Add($"       {error.Message}");
        }
        catch (Exception error) when (_world.Disk.Failures > failures && error is (P2PException or IOException))
        {
            _trace.Add($"       {error.Message}");
            if (error is P2PException failure && !IsRightCode(failure.Code))
                throw new CrashFailureException($"the failure is called {failure.Code}: {failure.Message}", failure);
            try
            {
                await RecoverAsync();
            }
            catch (Exception gone) when (_world.Disk.IsDead && gone is (P2PException or IOException))
            {
                _trace.Add($"       {gone.Message}");
            }
        }
    }

    /// <summary>What a full disk and one that fails are called. SQLite says of a file that it could not open no more than that.</summary>
    private bool IsRightCode(P2PErrorCode code) =>
        _isFull ? code == P2PErrorCode.NoSpace : code is P2PErrorCode.Store or P2PErrorCode.SourceChanged or P2PErrorCode.Permission;

    /// <summary>A step failed, the disk works again: nothing of the step was done, and the store goes on.</summary>
    private async Task RecoverAsync()
    {
        _world.Disk.Mend();
        if (!_world.IsOpen)
        {
            await _world.CloseAsync();
            await _world.OpenAsync();
            if (_world.Disk.IsDead)
                return;
            _history.GoOn(_history.Current.Started());
            _workload.OnOpened();
        }
        string actual = _inspector.Read().Describe();
        if (actual != _history.Current.Describe())
        {
            // A collection may have come as far as it wanted; memory that could not be taken back is, before the next change.
            await _world.Store.SetSettingAsync("settle", null, CancellationToken.None);
            actual = _inspector.Read().Describe();
            if (_history.LiveCandidates.LastOrDefault(state => state.Describe() == actual) is not { } found)
                throw new CrashFailureException($"a step failed and something was done:\n{actual}--- expected\n{_history.Current.Describe()}---");
            _history.Acknowledge(found, Durability.Flushed);
        }
        _inspector.CheckInvariants(isSwept: false);
    }

    /// <summary>The store holds one of the states that a power cut may leave, as a whole; after the end of the process alone, the last one.</summary>
    private void Compare()
    {
        string actual = _inspector.Read().Describe();
        List<CrashState> candidates = [.. (_isPowerCut ? _history.Candidates : _history.LiveCandidates).Select(state => state.Started())];
        List<CrashState> found = candidates.FindAll(state => state.Describe() == actual);
        if (found.Count == 0)
        {
            string expected = string.Join("--- or\n", candidates.Select(state => state.Describe()).Distinct(StringComparer.Ordinal));
            throw new CrashFailureException($"the store holds what it never did, or lost what it acknowledged:\n{actual}--- expected\n{expected}---");
        }

        // Several may look the same and differ in places: the oldest promises what all of them do.
        _workload.DoubtMoved(found);
        if (_isPowerCut)
            _history.Settle(found[0]);
        else
            _history.GoOn(found[0]);
    }

    private void CheckBlocks()
    {
        for (int block = 0; block < CrashCorpus.Blocks; block++)
            _workload.CheckBlock(block, BlockReadPurpose.Verify);
    }
}
