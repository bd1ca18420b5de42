namespace P2P.Core.Content;

/// <summary>Makes a chunk of a file into a leaf block.</summary>
internal static class LeafEncoder
{
    /// <summary>The block that holds a chunk in the old profile: a dag-pb file node without links. Raw leaves are the chunk itself.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> chunk)
    {
        var data = new UnixFsData(UnixFsType.File) { Data = chunk.IsEmpty ? null : chunk.ToArray(), FileBytes = (ulong)chunk.Length };
        return DagPbCodec.Encode([], data.Encode());
    }

    /// <summary>The leaf of a chunk; <paramref name="wrapped"/> is its block when that is not the chunk itself.</summary>
    public static BuiltNode Encode(UnixFsProfile profile, ReadOnlySpan<byte> chunk, out byte[]? wrapped)
    {
        if (profile.RawLeaves)
        {
            wrapped = null;
            return new BuiltNode(Cid.OfRaw(chunk), (ulong)chunk.Length, (ulong)chunk.Length);
        }

        wrapped = Wrap(chunk);
        return new BuiltNode(NodeId.OfNode(profile, wrapped), (ulong)chunk.Length, (ulong)wrapped.Length);
    }
}
