namespace P2P.Core.Content;

/// <summary>How bytes and folders become blocks. Two people who use the same profile get the same content id for the same bytes (IPIP-0499).</summary>
internal sealed record UnixFsProfile
{
    /// <summary>The profile that we write: 1 MiB raw leaves, 1,024 wide, CIDv1.</summary>
    public static UnixFsProfile V1_2025 { get; } = new() { Name = "unixfs-v1-2025", ChunkBytes = 1 << 20, Width = 1024, CidVersion = 1 };

    /// <summary>The profile of the first years: 256 KiB leaves wrapped in dag-pb, 174 wide, CIDv0. Only to recompute ids that others printed.</summary>
    public static UnixFsProfile V0_2015 { get; } = new() { Name = "unixfs-v0-2015", ChunkBytes = 256 << 10, Width = 174, CidVersion = 0 };

    /// <summary>The layout of private shares: as the profile that we write, but for chunks that leave room for what sealing adds.</summary>
    public static UnixFsProfile Private { get; } = V1_2025 with { Name = "p2p-files-private-1", ChunkBytes = Blocks.BlockSealer.MaxLeafBytes };

    /// <summary>The name in the proposal.</summary>
    public required string Name { get; init; }

    /// <summary>The size of every leaf but the last (bytes).</summary>
    public required int ChunkBytes { get; init; }

    /// <summary>The most children of an inner node of a file.</summary>
    public required int Width { get; init; }

    /// <summary>0: dag-pb leaves, and a folder's size estimated from its names and ids. 1: raw leaves, and a folder's size is that of its block.</summary>
    public required int CidVersion { get; init; }

    /// <summary>A folder is sharded when it is larger than this (bytes), strictly.</summary>
    public int ShardAboveBytes { get; init; } = 256 << 10;

    /// <summary>Whether leaves are the bare bytes of the file, so that they can be served from where it lies.</summary>
    public bool RawLeaves => CidVersion == 1;
}
