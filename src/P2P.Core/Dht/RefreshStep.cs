namespace P2P.Core.Dht;

/// <summary>What a table needs now.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Prefix">The bucket, for <see cref="RefreshStepKind.Bucket"/>.</param>
/// <param name="Until">When to ask again, for <see cref="RefreshStepKind.Wait"/>.</param>
internal readonly record struct RefreshStep(RefreshStepKind Kind, int Prefix = 0, TimeSpan Until = default)
{
    /// <summary>Contacts to ask besides those of the table, for <see cref="RefreshStepKind.Self"/>.</summary>
    public IReadOnlyList<Contact> Others { get; init; } = [];
}

/// <summary>The kinds of <see cref="RefreshStep"/>.</summary>
internal enum RefreshStepKind
{
    /// <summary>Nothing until the time that is told.</summary>
    Wait,

    /// <summary>Dial the peers to begin with: there are few contacts or none.</summary>
    Bootstrap,

    /// <summary>Ask those that were silent for long, and drop who stays silent.</summary>
    Check,

    /// <summary>Look up the own place.</summary>
    Self,

    /// <summary>Look up a random point of a bucket.</summary>
    Bucket,
}
