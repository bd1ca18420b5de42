namespace P2P.Core.Content;

/// <summary>The root of something that was built: a file, a part of one, or a folder.</summary>
/// <param name="Cid">Its id.</param>
/// <param name="FileBytes">Bytes of the file under it; 0 for a folder.</param>
/// <param name="TreeBytes">Bytes of all blocks of the tree under it, its own included (Tsize); a block that occurs twice counts twice.</param>
internal readonly record struct BuiltNode(Cid Cid, ulong FileBytes, ulong TreeBytes);

/// <summary>Takes each node as soon as it is complete, children before their parents. The bytes are borrowed until the call returns.</summary>
internal delegate void NodeWriter(in Cid cid, ReadOnlySpan<byte> block);
