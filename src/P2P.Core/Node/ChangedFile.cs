namespace P2P.Core;

/// <summary>A shared file that is not what it was when it was shared. What of it is unchanged is still served; sharing again serves the rest.</summary>
/// <param name="Path">Where it lies, or lay.</param>
/// <param name="Change">What happened to it.</param>
public sealed record ChangedFile(string Path, FileChange Change);

/// <summary>What happened to a shared file.</summary>
public enum FileChange
{
    /// <summary>Its size, time or identity changed, or bytes of it turned out to be others. Each block is verified before it is sent.</summary>
    Changed,

    /// <summary>It is not there any more, or is no file. It is served again when it is back.</summary>
    Missing,
}
