using System.Collections.Concurrent;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>What a run of the suite did: the kills that met a living process, by phase, and what was checked after them. Thread-safe.</summary>
internal sealed class KillCounts
{
    private readonly ConcurrentDictionary<string, int> _kills = new();
    private int _late;
    private int _checks;
    private int _resumes;
    private long _reused;

    public int Kills => _kills.Values.Sum();

    public void Killed(string phase) => _kills.AddOrUpdate(phase, 1, (_, count) => count + 1);

    /// <summary>The command had ended before the signal came.</summary>
    public void CameLate() => Interlocked.Increment(ref _late);

    /// <summary>Something that was acknowledged was fetched again, byte for byte.</summary>
    public void Checked() => Interlocked.Increment(ref _checks);

    public void Resumed(long reusedBytes)
    {
        Interlocked.Increment(ref _resumes);
        Interlocked.Add(ref _reused, reusedBytes);
    }

    public override string ToString() =>
        $"{Kills} kills ({string.Join(", ", _kills.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value}"))}), {_late} came after the end; " +
        $"{_resumes} fetches gone on with ({_reused / 1_000_000} MB reused), {_checks} acknowledged shares read back";
}
