namespace P2P.Core.Store;

/// <summary>What has happened when a commit completes.</summary>
internal enum Durability
{
    /// <summary>Everybody sees the changes; a power cut may take them back, but never a part of them. For progress that can be made again.</summary>
    Visible,

    /// <summary>The changes are on the disk. For everything that is acknowledged to a user or a peer.</summary>
    Flushed,
}
