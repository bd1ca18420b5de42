namespace P2P.Core;

/// <summary>What became of an announcement in the DHT.</summary>
/// <param name="Nodes">Nodes that took the record.</param>
/// <param name="Of">Nodes that were asked.</param>
/// <param name="Verified">Whether an independent lookup found it.</param>
public readonly record struct Announcement(int Nodes, int Of, bool Verified);
