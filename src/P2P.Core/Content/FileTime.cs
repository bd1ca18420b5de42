using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>When a file was changed, as content says it, within what disks can hold.</summary>
/// <param name="Seconds">Since 1970.</param>
/// <param name="Nanoseconds">The fraction.</param>
internal readonly record struct FileTime(long Seconds, int Nanoseconds)
{
    private const long Earliest = int.MinValue; // 1901, the first that ext4 holds
    private const long Latest = 15_032_385_535; // 2446, the last
    private const long NanosecondsPerTick = 100;

    /// <summary>Content's time, moved to the nearest that is sane.</summary>
    public static FileTime From(in UnixFsTime time) => time.Seconds switch
    {
        < Earliest => new FileTime(Earliest, 0),
        > Latest => new FileTime(Latest, 0),
        _ => new FileTime(time.Seconds, (int)(time.Nanoseconds ?? 0)),
    };

    /// <summary>As the runtime has it: to 100 nanoseconds.</summary>
    public DateTime ToDateTime() => DateTime.UnixEpoch.AddSeconds(Seconds).AddTicks(Nanoseconds / NanosecondsPerTick);

    /// <summary>Gives it to an open file or folder.</summary>
    public void ApplyTo(SafeFileHandle handle, string path)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            File.SetLastWriteTimeUtc(handle, ToDateTime());
            return;
        }

        int error = LinuxCalls.SetModified(handle, Seconds, Nanoseconds);
        if (error != 0)
            throw DiskFault.FromNumber(error, path);
    }
}
