using P2P.Core.Store;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>Which states a power cut may leave: those since the last flushed commit, in order, and what was tried on top of the last one.</summary>
internal sealed class CrashHistory
{
    // From the last one that is surely on the disk to the one that everybody sees.
    private readonly List<CrashState> _states = [CrashState.Empty];

    // What is being tried, and what failed since the last success: its record may be in the log without having been acknowledged.
    private readonly List<CrashState> _attempts = [];

    public CrashState Current => _states[^1];

    /// <summary>States that a start after a power cut may find.</summary>
    public IEnumerable<CrashState> Candidates => _states.Concat(_attempts);

    public void Try(CrashState next) => _attempts.Add(next);

    /// <summary>What was tried last is visible, and on the disk if so asked.</summary>
    public void Acknowledge(CrashState next, Durability durability)
    {
        if (durability == Durability.Flushed)
            _states.Clear();
        _states.Add(next);
        _attempts.Clear();
    }

    /// <summary>States that the next process finds when only the process ended: all that was visible, and perhaps what was being tried.</summary>
    public IEnumerable<CrashState> LiveCandidates => _attempts.Prepend(Current);

    /// <summary>The next process found this; the power can still take it back.</summary>
    public void GoOn(CrashState found)
    {
        for (int i = 0; i < _states.Count; i++)
            _states[i] = _states[i].Started();
        _states.Add(found);
        _attempts.Clear();
    }

    /// <summary>Something happened to the disk that no state knows of.</summary>
    public void Change(Func<CrashState, CrashState> change)
    {
        for (int i = 0; i < _states.Count; i++)
            _states[i] = change(_states[i]);
        for (int i = 0; i < _attempts.Count; i++)
            _attempts[i] = change(_attempts[i]);
    }

    /// <summary>The store was opened and holds this; nothing older can come back.</summary>
    public void Settle(CrashState state)
    {
        _states.Clear();
        _states.Add(state);
        _attempts.Clear();
    }
}
