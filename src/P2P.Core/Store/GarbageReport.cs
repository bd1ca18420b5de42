namespace P2P.Core;

/// <summary>What a collection freed.</summary>
/// <param name="Blocks">Blocks that nothing kept (count).</param>
/// <param name="Bytes">The bytes they took in the store; blocks in the user's files take none.</param>
/// <param name="Files">Files that a crash left, and damaged blocks that were set aside (count).</param>
/// <param name="FileBytes">Their bytes.</param>
public readonly record struct GarbageReport(long Blocks, long Bytes, int Files, long FileBytes);
