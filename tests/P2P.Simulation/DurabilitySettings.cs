namespace P2P.Simulation;

/// <summary>How holders come and go, and what is asked of them.</summary>
internal sealed record DurabilitySettings
{
    /// <summary>What it is called in reports.</summary>
    public required string Name { get; init; }

    /// <summary>Holders at any time, those that are away too (count).</summary>
    public int Nodes { get; init; } = 1000;

    /// <summary>Half of the sessions are shorter; Weibull with shape 0.5, so many are short and few very long.</summary>
    public required TimeSpan MedianSession { get; init; }

    /// <summary>Mean of the absence after a session; exponential.</summary>
    public required TimeSpan MeanAbsence { get; init; }

    /// <summary>The part of departures after which a holder never comes back; another, empty one takes its place.</summary>
    public required double Final { get; init; }

    /// <summary>Half of the holders are off each night for 8 hours, besides.</summary>
    public bool HasNights { get; init; }

    /// <summary>Shares of 10 MiB and of 1 GiB.</summary>
    public int SmallShares { get; init; } = 440;

    /// <summary>Shares of 1 GiB.</summary>
    public int LargeShares { get; init; } = 5;

    /// <summary>Copies wanted.</summary>
    public int Target { get; init; } = 5;

    /// <summary>How long it is watched.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Copies are made with so many bytes a second.</summary>
    public double TransferRate { get; init; } = 4 << 20;
}
