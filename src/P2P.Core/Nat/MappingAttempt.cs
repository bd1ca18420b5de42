namespace P2P.Core.Nat;

/// <summary>How asking a router went.</summary>
/// <param name="Gateway">The router.</param>
/// <param name="Protocols">What was spoken, as a person calls it.</param>
/// <param name="Failure">Why no port was mapped, to be put after the protocol's name and a colon.</param>
/// <param name="IsAnswer">Whether the router has answered and given none.</param>
internal sealed record MappingAttempt(Gateway Gateway, string Protocols, string Failure, bool IsAnswer);
