
namespace P2P.Core.Connections;

/// <summary>What a peer says about itself (identify). Data, not truth: only the protocol list is acted on, and only as a hint.</summary>
internal sealed record RemoteInfo
{
    /// <summary>The program and its version, free text from the peer: clean it before showing.</summary>
    public string AgentVersion { get; init; } = "";

    /// <summary>The family of protocols, informative.</summary>
    public string ProtocolVersion { get; init; } = "";

    /// <summary>What it accepts on streams that we open.</summary>
    public IReadOnlySet<string> Protocols { get; init; } = new HashSet<string>();

    /// <summary>Where it says it listens, without peer ids.</summary>
    public IReadOnlyList<Multiaddress> ListenAddresses { get; init; } = [];

    /// <summary>Our address as it sees it.</summary>
    public Multiaddress? ObservedAddress { get; init; }

    /// <summary>Whether <see cref="ListenAddresses"/> come from a record that the peer signed.</summary>
    public bool IsSigned { get; init; }
}
