using Microsoft.Win32.SafeHandles;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>A file that is being imported.</summary>
/// <param name="Path">Where it lies: absolute.</param>
/// <param name="Name">Its name as bytes.</param>
/// <param name="Identity">What it was when it was found; it must be the same when it has been read.</param>
internal sealed record ImportFile(string Path, byte[] Name, FileIdentity Identity)
{
    /// <summary>When its identity was taken (nanoseconds since 1970, UTC).</summary>
    public long CheckedNs { get; init; }

    /// <summary>Its permissions and time, when they are to be kept.</summary>
    public NodeMetadata? Metadata { get; init; }

    /// <summary>Why it could not be cut; null when it could.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Open while a large file is read in several pieces.</summary>
    public SafeFileHandle? Handle { get; set; }

    /// <summary>The refusal of a file that was changed while it was read.</summary>
    public P2PException Changed() =>
        new(P2PErrorCode.SourceChanged, $"'{Path}' was changed while it was being read. Share it again when nothing writes to it any more.") { IsTransient = true };

    /// <summary>Opens it for reading beside writers and deleters: sharing must not get into anyone's way.</summary>
    public SafeFileHandle Open() => OperatingSystem.IsWindows()
        ? File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
        : FileStatus.OpenRead(Path, followLinks: false); // without the lock that the base library takes, nor the way out of the tree that a link in its place would be

    /// <summary>Whether it is still the file that was found.</summary>
    public bool IsUnchanged() => FileSystemDisk.Instance.TryGetIdentity(Path, out FileIdentity now) && now == Identity;
}
