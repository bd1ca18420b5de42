namespace P2P.Core.Dht;

/// <summary>What became of an announcement.</summary>
/// <param name="Told">Peers that took it.</param>
/// <param name="Of">Peers that were to take it: the closest ones found.</param>
internal readonly record struct ProvideResult(int Told, int Of);
