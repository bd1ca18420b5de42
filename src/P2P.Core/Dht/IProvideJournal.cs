namespace P2P.Core.Dht;

/// <summary>What is to be announced, and how far the sweep has come: on disk, so that a restart goes on. The node that owns the store implements it.</summary>
internal interface IProvideJournal
{
    /// <summary>Keys in the order of the keyspace.</summary>
    /// <param name="from">The first point.</param>
    /// <param name="to">The last point.</param>
    /// <param name="max">How many at most.</param>
    /// <param name="onlyNew">Only those that were never announced.</param>
    List<ProvideKey> Read(DhtKey from, DhtKey to, int max, bool onlyNew);

    /// <summary>These were announced: they are new no longer. Some may be gone meanwhile.</summary>
    void MarkProvided(IReadOnlyList<ProvideKey> keys);

    /// <summary>How far the sweep had come; null: it never began.</summary>
    SweepProgress? LoadProgress();

    /// <summary>Keeps how far the sweep has come.</summary>
    void SaveProgress(SweepProgress progress);

    /// <summary>Brings to the disk what was marked and saved until now.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}
