namespace P2P.Core;

/// <summary>One entry of shared content.</summary>
/// <param name="Path">Its path inside the root, segments separated by <c>/</c>; empty for the root itself.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">A file's size; null for a folder or when unknown.</param>
/// <param name="Cid">Its content id.</param>
public sealed record ContentEntry(string Path, ContentKind Kind, long? Bytes, Cid Cid);
