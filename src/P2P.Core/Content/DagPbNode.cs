namespace P2P.Core.Content;

/// <summary>A decoded dag-pb node: named links and, if present, bytes of the application, here always UnixFS.</summary>
/// <param name="Links">In the order of the block, which is the order of traversal.</param>
/// <param name="Data">Null when absent, which is not the same as empty.</param>
internal sealed record DagPbNode(DagPbLink[] Links, byte[]? Data)
{
    /// <summary>The node without links and data: zero bytes.</summary>
    public static DagPbNode Empty { get; } = new([], null);
}
