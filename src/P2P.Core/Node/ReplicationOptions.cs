namespace P2P.Core;

/// <summary>Disk that is offered to others, and how copies of one's own shares are kept by others.</summary>
public sealed class ReplicationOptions
{
    /// <summary>Disk offered for blocks of others (bytes). Default 0: nothing is held. It comes on top of <see cref="StorageOptions.MaxOwnedBytes"/>.
    /// Needs the DHT: refused together with <see cref="DhtMode.Off"/>.</summary>
    public long OfferBytes { get; set; }

    /// <summary>Whose blocks are held: <c>local</c> (publishers on this machine and on the networks that it is part of), <c>anyone</c>, or peer ids, which are
    /// admitted from anywhere besides the local ones. Empty: <c>local</c>.</summary>
    public IList<string> OfferTo { get; set; } = [];

    /// <summary>How long a holder may be gone before its copy no longer counts. Default 15 minutes, 1 second to 1 day. Shorter and a restart moves data;
    /// longer and what is lost is made good later.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How often copies are counted. Default 1 hour, 1 second to 1 day.</summary>
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a run with enough copies, but fewer than wanted, waits before another is made. Default 6 hours, 0 to 7 days.</summary>
    public TimeSpan DelayedRepairWait { get; set; } = TimeSpan.FromHours(6);

    /// <summary>For how long others are asked to keep copies; renewed at half of it while this node runs. Default 7 days, 1 minute to 30 days,
    /// at least twice <see cref="CheckInterval"/>, at which it is renewed.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromDays(7);
}
