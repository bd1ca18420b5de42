namespace P2P.Core;

/// <summary>How content is written as a CAR archive.</summary>
public sealed record CarExportOptions
{
    /// <summary>What to do when something stands at the target path. Default: fail before a byte is written.</summary>
    public IfExists IfExists { get; init; }

    /// <summary>The longest time without one new verified byte. Default 2 minutes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Peers to ask besides those in the link, as addresses that end in <c>/p2p/ID</c>.</summary>
    public IReadOnlyCollection<Multiaddress> ExtraPeers { get; init; } = [];

    /// <summary>Told why nothing comes, from five seconds of waiting on and then every five seconds; null: nobody.</summary>
    public IProgress<StallReason>? Stalled { get; init; }

    /// <summary>Told how many bytes of the archive are written, at most 10 times a second plus the last; null: nobody.</summary>
    public IProgress<long>? Progress { get; init; }
}

/// <summary>How a CAR archive is taken into the store.</summary>
public sealed record CarImportOptions
{
    /// <summary>What the pins are called that keep the content; null: nothing.</summary>
    public string? Name { get; init; }

    /// <summary>Whether zeros after the last block end the archive, as in archives that were padded to a size. Default: they are an error.</summary>
    public bool AllowPadding { get; init; }

    /// <summary>Told how many bytes of the archive are read, at most 10 times a second plus the last; null: nobody.</summary>
    public IProgress<long>? Progress { get; init; }
}
