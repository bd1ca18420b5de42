namespace P2P.Core;

/// <summary>What a fetch brought.</summary>
/// <param name="Path">Where it lies; the target, or beside it with <see cref="IfExists.Rename"/>.</param>
/// <param name="Root">Its content id.</param>
/// <param name="Bytes">The bytes of all files.</param>
/// <param name="BytesReused">Bytes that were already here and verified.</param>
/// <param name="Elapsed">From the call to the flushed, renamed result.</param>
/// <param name="BytesByPeer">Who sent how many bytes of it.</param>
/// <param name="Renamed">Names that this system cannot hold and what they became.</param>
public sealed record FetchResult(string Path, Cid Root, long Bytes, long BytesReused, TimeSpan Elapsed, IReadOnlyDictionary<PeerId, long> BytesByPeer, IReadOnlyList<RenamedEntry> Renamed)
{
    /// <summary>Files in it.</summary>
    public int Files { get; init; }

    /// <summary>Whether the target was already there with this content, so that nothing was transferred.</summary>
    public bool AlreadyThere { get; init; }

    /// <summary>How many names did not stay; <see cref="Renamed"/> lists the first 10,000 of them, fewer when the names are very long.</summary>
    public long RenamedCount { get; init; }
}
