namespace P2P.Cli.Control;

/// <summary>The bounds of the control socket.</summary>
internal static class ControlLimits
{
    /// <summary>The version of what is spoken there.</summary>
    public const int ProtocolVersion = 1;

    /// <summary>Commands attached at once; one more is refused with a sentence.</summary>
    public const int ClientsMax = 32;

    /// <summary>A request: the longest command line that Linux starts (2 MiB with its variables) escaped as JSON.</summary>
    public const int RequestBytesMax = 8 << 20;

    /// <summary>Any line after it: a chunk in base64 and its name, or one event.</summary>
    public const int LineBytesMax = 512 << 10;

    /// <summary>An event that is longer travels in chunks.</summary>
    public const int EventBytesMax = 256 << 10;

    /// <summary>Bytes of a standard stream in one line.</summary>
    public const int ChunkBytes = 96 << 10;

    /// <summary>How long either side waits for the other's first line.</summary>
    public static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long an owner that ends waits for what runs on its node.</summary>
    public static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);
}
