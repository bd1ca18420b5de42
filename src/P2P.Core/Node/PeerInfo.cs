namespace P2P.Core;

/// <summary>A connected peer.</summary>
/// <param name="Id">Who it is, proven.</param>
/// <param name="Address">Its end of the connection.</param>
/// <param name="IsOutbound">Whether we dialed it.</param>
/// <param name="Agent">What it calls itself, made safe to print; null until it said so.</param>
/// <param name="RoundTripTime">The last measured round trip; null until measured.</param>
/// <param name="BytesReceived">Bytes of content received from it.</param>
/// <param name="BytesServed">Bytes of content served to it.</param>
public sealed record PeerInfo(PeerId Id, Multiaddress Address, bool IsOutbound, string? Agent, TimeSpan? RoundTripTime, long BytesReceived, long BytesServed);
