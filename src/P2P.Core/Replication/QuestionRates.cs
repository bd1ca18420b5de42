using System.Runtime.CompilerServices;
using P2P.Core.Connections;

namespace P2P.Core.Replication;

/// <summary>How often a peer may ask a holder what costs it a read of its disk or a look at all of its leases. Both sides keep to it. Thread-safe.</summary>
/// <param name="checkInterval">How often holders compare.</param>
/// <param name="margin">By how many audits the one who asks stays below the bound (count).</param>
/// <param name="time">The clock.</param>
internal sealed class QuestionRates(TimeSpan checkInterval, int margin, TimeProvider time)
{
    /// <summary>Audits at once (count), and then each second.</summary>
    public const int AuditBurst = 64, AuditsPerSecond = 1;

    /// <summary>Comparisons of a part of the keyspace at once (count), and then in each check interval: four exchanges, split a few times.</summary>
    public const int CompareBurst = 256, ComparesPerCheck = 64;

    /// <summary>Questions for single runs at once (count), and then each second.</summary>
    public const int RunBurst = 1024, RunsPerSecond = 32;

    private readonly ConditionalWeakTable<Connection, Buckets> _buckets = [];

    /// <summary>Takes an audit from a connection's budget.</summary>
    public bool MayAudit(Connection connection) => TryTake(Of(connection).Audits) <= TimeSpan.Zero;

    /// <summary>Takes a comparison.</summary>
    public bool MayCompare(Connection connection) => TryTake(Of(connection).Compares) <= TimeSpan.Zero;

    /// <summary>Takes a question for one run.</summary>
    public bool MayAskForRun(Connection connection) => TryTake(Of(connection).Runs) <= TimeSpan.Zero;

    /// <summary>Waits until the peer's budget has room for an audit.</summary>
    public async Task WaitForAuditAsync(Connection connection, CancellationToken cancellationToken)
    {
        while (TryTake(Of(connection).Audits) is { Ticks: > 0 } wait)
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
    }

    private Buckets Of(Connection connection) => _buckets.GetValue(connection, _ => new Buckets(
        new TokenBucket(AuditBurst - margin, AuditsPerSecond, time.TimestampFrequency),
        new TokenBucket(CompareBurst, ComparesPerCheck / checkInterval.TotalSeconds, time.TimestampFrequency),
        new TokenBucket(RunBurst, RunsPerSecond, time.TimestampFrequency)));

    private TimeSpan TryTake(TokenBucket bucket)
    {
        lock (bucket)
            return bucket.TryTake(time.GetTimestamp());
    }

    private sealed record Buckets(TokenBucket Audits, TokenBucket Compares, TokenBucket Runs);
}
