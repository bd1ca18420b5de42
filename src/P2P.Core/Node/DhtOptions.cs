namespace P2P.Core;

/// <summary>How a node takes part in the DHT, in which peers find each other and content without being told where it is.</summary>
public sealed class DhtOptions
{
    /// <summary>The part that it takes. Default <see cref="DhtMode.Auto"/>.</summary>
    public DhtMode Mode { get; set; }

    /// <summary>How often it is announced again that content is here. Default 22 hours, 1 minute to 2 days: others forget it after 48 hours.
    /// Shorter costs everybody traffic; longer and it cannot be found for a while when an announcement fails.</summary>
    public TimeSpan ProvideInterval { get; set; } = TimeSpan.FromHours(22);

    /// <summary>How often the table of contacts is looked after. Default 10 minutes, 10 seconds to 1 day.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>The part that a node takes in the DHT.</summary>
public enum DhtMode
{
    /// <summary>It answers others when it accepts connections, and asks only when it does not.</summary>
    Auto = 0,

    /// <summary>It asks others and answers none.</summary>
    Client = 1,

    /// <summary>It answers others. It must be reachable, or it slows them down.</summary>
    Server = 2,

    /// <summary>It takes no part: peers are found by links and options only, and nothing is announced.</summary>
    Off = 3,
}
