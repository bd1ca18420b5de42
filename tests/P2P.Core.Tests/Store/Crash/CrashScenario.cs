using P2P.Core.Blocks;
using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>
/// One seed: a few lives of a store on one disk. In each the store is opened (the power may go meanwhile), what it holds is compared with the model, a few
/// steps are made, and the power goes at some operation of them.
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

    /// <summary>Power cuts so far (count).</summary>
    private int Cuts { get; set; }

    /// <summary>Runs a seed.</summary>
    /// <param name="seed">Everything follows from it, but for the order of threads.</param>
    /// <param name="buffers">Memory for blocks, shared by runs.</param>
    /// <param name="prepare">Gives the disk vices that it shall have.</param>
    /// <returns>How often the power went.</returns>
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
            _trace.Add("the power goes");
            Cuts++;
            await _world.RestartAsync();
        }
        await OpenAsync();
    }

    /// <summary>Opens the store, through further power cuts if chance wants them, and checks what it holds.</summary>
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
            _trace.Add("the power goes while it opens");
            Cuts++;
            await _world.RestartAsync();
        }
        Compare();
        _workload.OnOpened();
        _inspector.CheckInvariants(isSwept: true);
        CheckBlocks();
    }

    private async Task LiveAsync()
    {
        int steps = _random.Next(1, MaxSteps), cutStep = _random.Next(steps + 1);
        try
        {
            for (int step = 0; step < steps && !_world.Disk.IsDead; step++)
            {
                if (step == cutStep)
                    _world.Disk.CutPowerAfter(_random.Next(1, MaxOperationsToCut));
                await _workload.StepAsync();
            }
            if (!_world.Disk.IsDead && _random.Next(4) == 0)
            {
                _trace.Add("close");
                await _world.CloseAsync();
                if (!_world.Disk.IsDead)
                    _history.Settle(_history.Current);
            }
        }
        catch (Exception error) when (_world.Disk.IsDead && error is P2PException or IOException)
        {
            _trace.Add($"       {error.Message}");
        }
    }

    /// <summary>The store holds one of the states that a power cut may leave, as a whole.</summary>
    private void Compare()
    {
        string actual = _inspector.Read().Describe();
        List<CrashState> candidates = [.. _history.Candidates.Select(state => state.Started())];
        List<CrashState> found = candidates.FindAll(state => state.Describe() == actual);
        if (found.Count == 0)
        {
            string expected = string.Join("--- or\n", candidates.Select(state => state.Describe()).Distinct(StringComparer.Ordinal));
            throw new CrashFailureException($"the store holds what it never did, or lost what it acknowledged:\n{actual}--- expected\n{expected}---");
        }

        // Several may look the same and differ in places: the oldest promises what all of them do.
        _workload.DoubtMoved(found);
        _history.Settle(found[0]);
    }

    private void CheckBlocks()
    {
        for (int block = 0; block < CrashCorpus.Blocks; block++)
            _workload.CheckBlock(block, BlockReadPurpose.Verify);
    }
}
