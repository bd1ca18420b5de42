namespace P2P.Core.Content;

/// <summary>Whose rules of file names hold where content is written.</summary>
internal enum TargetSystem
{
    /// <summary>Bytes but for NUL and the slash, compared as they are.</summary>
    Linux,

    /// <summary>Bytes but for NUL and the slash, compared without case.</summary>
    MacOS,

    /// <summary>Reserved characters and device names, compared without case.</summary>
    Windows,
}

/// <summary>The system that this runs on.</summary>
internal static class TargetSystems
{
    /// <summary>The rules of this machine.</summary>
    public static TargetSystem Current { get; } =
        OperatingSystem.IsWindows() ? TargetSystem.Windows
        : OperatingSystem.IsMacOS() || OperatingSystem.IsIOS() || OperatingSystem.IsMacCatalyst() ? TargetSystem.MacOS
        : TargetSystem.Linux;
}
