using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>What content says of a file or folder besides its bytes, as far as it is given to the copy: permissions and when it was changed.</summary>
/// <param name="Mode">The permissions, 9 bits: nothing that gives a program its owner's rights; null: those that new ones have.</param>
/// <param name="Modified">When it was changed; null: now.</param>
internal readonly record struct FileMetadata(UnixFileMode? Mode, FileTime? Modified)
{
    private const uint PermissionBits = 0x1FF; // 0777

    /// <summary>Whether there is nothing to give.</summary>
    public bool IsEmpty => Mode is null && Modified is null;

    /// <summary>What a node says; null: one raw block, which says nothing.</summary>
    public static FileMetadata From(UnixFsData? data) => data is null ? default : new FileMetadata(
        data.Mode is { } mode ? (UnixFileMode)(mode & PermissionBits) : null,
        data.ModifiedAt is { } time ? FileTime.From(in time) : null);

    /// <summary>Gives it to an open file, as the last thing that happens to it.</summary>
    public void ApplyTo(SafeFileHandle handle, string path)
    {
        if (Mode is { } mode && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(handle, mode);
        Modified?.ApplyTo(handle, path);
    }
}
