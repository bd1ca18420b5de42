namespace P2P.Core.Content;

/// <summary>A link of a dag-pb node. Absent and present-but-empty are different bytes, so both are kept apart.</summary>
/// <param name="Cid">What it points to.</param>
/// <param name="Name">The name as bytes, usually UTF-8; null when absent.</param>
/// <param name="TargetBytes">The writer's claim of the size of the whole tree below (Tsize), a hint only; null when absent.</param>
internal readonly record struct DagPbLink(Cid Cid, byte[]? Name, ulong? TargetBytes)
{
    /// <summary>The name, empty when absent.</summary>
    public ReadOnlySpan<byte> NameSpan => Name;
}
