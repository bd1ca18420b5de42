using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>What a node keeps of the file or folder that it was made of, besides the content.</summary>
/// <param name="Mode">Permission bits; null where the system has none.</param>
/// <param name="ModifiedAt">When it was changed.</param>
internal sealed record NodeMetadata(uint? Mode, UnixFsTime? ModifiedAt)
{
    private const uint PermissionBits = 0xFFF; // the access of owner, group and others, and the three special bits
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Reads it from a file.</summary>
    /// <exception cref="IOException">It is gone.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be looked at.</exception>
    public static NodeMetadata OfFile(string path, in FileIdentity identity) => new(ModeOf(path), TimeOf(identity.ModifiedNs));

    /// <summary>Reads it from a folder.</summary>
    /// <inheritdoc cref="OfFile"/>
    public static NodeMetadata OfFolder(string path)
    {
        const long NanosecondsPerTick = 100;
        return new NodeMetadata(ModeOf(path), TimeOf((Directory.GetLastWriteTimeUtc(path) - DateTime.UnixEpoch).Ticks * NanosecondsPerTick));
    }

    /// <summary>The same node with this in it.</summary>
    public UnixFsData ApplyTo(UnixFsData data) => data with { Mode = Mode, ModifiedAt = ModifiedAt };

    private static uint? ModeOf(string path) => OperatingSystem.IsWindows() ? null : (uint)File.GetUnixFileMode(path) & PermissionBits;

    private static UnixFsTime TimeOf(long nanoseconds)
    {
        (long seconds, long rest) = Math.DivRem(nanoseconds, NanosecondsPerSecond);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + NanosecondsPerSecond); // before 1970 the fraction still counts forward
        return new UnixFsTime(seconds, rest == 0 ? null : (uint)rest);
    }
}
