namespace P2P.Core.Replication;

/// <summary>How a publisher has copies kept.</summary>
internal sealed record ReplicationSettings
{
    /// <summary>How long a holder may be gone before its copy no longer counts.</summary>
    public required TimeSpan Grace { get; init; }

    /// <summary>How often copies are counted.</summary>
    public required TimeSpan CheckInterval { get; init; }

    /// <summary>How often holders look whether those are there that they keep something with: a few times within the grace, because one that is gone is noticed by that.</summary>
    public TimeSpan ProbeInterval => TimeSpan.FromSeconds(Math.Max(0.5, Grace.TotalSeconds / 3));

    /// <summary>How long a run that has enough copies, but fewer than wanted, waits before another is made.</summary>
    public required TimeSpan DelayedRepairWait { get; init; }

    /// <summary>For how long copies are asked for; renewed at half of it.</summary>
    public required TimeSpan LeaseDuration { get; init; }

    /// <summary>For one offer, with what its holder pulls.</summary>
    public TimeSpan OfferTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>For one audit.</summary>
    public TimeSpan AuditTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Copies that a number of replicas asks for at least.</summary>
    public static int MinOf(int target) => Math.Min(3, target);

    /// <summary>Copies above which the farthest may go.</summary>
    public static int MaxOf(int target) => target + 3;
}
