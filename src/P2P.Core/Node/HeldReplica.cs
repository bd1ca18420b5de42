namespace P2P.Core;

/// <summary>Blocks that this node keeps for somebody.</summary>
/// <param name="Publisher">Who asked for it.</param>
/// <param name="First">The first of the blocks; of a small share its root.</param>
/// <param name="Bytes">What they take.</param>
/// <param name="Blocks">How many they are.</param>
/// <param name="Until">Until when they were asked to be kept.</param>
public sealed record HeldReplica(PeerId Publisher, Cid First, long Bytes, int Blocks, DateTimeOffset Until);
