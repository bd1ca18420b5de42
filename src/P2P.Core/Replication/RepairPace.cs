namespace P2P.Core.Replication;

/// <summary>
/// Leaves the source of a repair three quarters of its uplink: after each slice it rests three times as long as the slice took, however fast that was. So
/// nobody has to know how fast the uplink is. For one pull; not thread-safe.
/// </summary>
internal sealed class RepairPace(TimeProvider time)
{
    /// <summary>What is asked for between two rests (bytes): long enough to fill a long line, short enough to leave others room soon.</summary>
    public const long SliceBytes = 4 << 20;

    /// <summary>Of the time so much is rest, as a multiple of the time that a slice takes.</summary>
    private const int RestPerWork = 3;

    /// <summary>The longest rest: a source that has become slow is not waited for longer.</summary>
    private static readonly TimeSpan MaxRest = TimeSpan.FromMinutes(1);

    private long _began = time.GetTimestamp();
    private long _asked;

    /// <summary>Whether nothing more is to be asked for before the next rest.</summary>
    public bool IsSpent => _asked >= SliceBytes;

    /// <summary>A block is asked for.</summary>
    public void OnAsked(int bytes) => _asked += bytes;

    /// <summary>Rests, once all that was asked for is here.</summary>
    public async Task RestAsync(CancellationToken cancellationToken)
    {
        TimeSpan rest = time.GetElapsedTime(_began) * RestPerWork;
        await Task.Delay(rest < MaxRest ? rest : MaxRest, time, cancellationToken).ConfigureAwait(false);
        (_began, _asked) = (time.GetTimestamp(), 0);
    }
}
