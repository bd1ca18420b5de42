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

    /// <summary>The store was opened and holds this; nothing older can come back.</summary>
    public void Settle(CrashState state)
    {
        _states.Clear();
        _states.Add(state);
        _attempts.Clear();
    }
}
