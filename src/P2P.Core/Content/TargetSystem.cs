namespace P2P.Core.Content;

/// <summary>Whose rules of file names hold where content is written.</summary>
internal enum TargetSystem
{
    /// <summary>Bytes but for NUL and the slash, compared as they are.</summary>
    Linux,

    /// <summary>Bytes but for NUL and the slash, compared without case and Unicode form.</summary>
    MacOS,

    /// <summary>Reserved characters and device names, compared without case.</summary>
    Windows,
}

/// <summary>Finds out whose rules hold.</summary>
internal static class TargetSystems
{
    /// <summary>The rules of this machine.</summary>
    public static TargetSystem Current { get; } =
        OperatingSystem.IsWindows() ? TargetSystem.Windows
        : OperatingSystem.IsMacOS() || OperatingSystem.IsIOS() || OperatingSystem.IsMacCatalyst() ? TargetSystem.MacOS
        : TargetSystem.Linux;

    /// <summary>The rules of the disk that a folder is on: a stick with a Windows file system keeps Windows' rules on Linux too.</summary>
    public static TargetSystem Of(string folder)
    {
        if (!OperatingSystem.IsLinux() || LinuxCalls.FileSystemType(folder) is not { } type)
            return Current;
        return OfLinuxType(type);
    }

    /// <summary>The rules of a file system by the number that Linux's <c>statfs</c> gives it.</summary>
    public static TargetSystem OfLinuxType(long type) => (uint)type switch
    {
        0x4D44 => TargetSystem.Windows, // vfat
        0x2011BAB0 => TargetSystem.Windows, // exfat
        0x5346544E or 0x7366746E => TargetSystem.Windows, // ntfs, ntfs3
        0xFF534D42 or 0xFE534D42 or 0x517B => TargetSystem.Windows, // cifs, smb2, smb
        0x482B or 0x4244 => TargetSystem.MacOS, // hfs+, hfs
        _ => TargetSystem.Linux,
    };
}
