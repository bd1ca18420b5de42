using System.Net;
using P2P.Core.Blocks;

namespace P2P.Core.Replication;

/// <summary>Whom a holder keeps blocks for.</summary>
internal enum OfferAudience
{
    /// <summary>Publishers on this machine and on the networks that it is part of.</summary>
    Local,

    /// <summary>Everybody, strangers within bounds.</summary>
    Anyone,
}

/// <summary>What a holder offers, and to whom.</summary>
internal sealed record HolderSettings
{
    /// <summary>Disk that it offers (bytes); 0: it holds nothing.</summary>
    public required long OfferBytes { get; init; }

    /// <summary>Who may push.</summary>
    public OfferAudience Audience { get; init; }

    /// <summary>Publishers that may push from anywhere.</summary>
    public IReadOnlySet<PeerId> Admitted { get; init; } = new HashSet<PeerId>();

    /// <summary>Blocks that are not held for anybody.</summary>
    public DenyList Denied { get; init; } = DenyList.Empty;

    /// <summary>How often it looks after what it holds together with others.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The networks that this machine has an interface in.</summary>
    public required Func<IReadOnlyList<IPNetwork>> OnLink { get; init; }
}
