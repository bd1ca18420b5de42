using System.Diagnostics;

namespace P2P.Core.Diagnostics;

/// <summary>The one source of the library's activities: a dial, a fetch and an import are one each; blocks and frames are not.</summary>
internal static class P2PActivities
{
    /// <summary>An address of a peer is dialed and the connection upgraded.</summary>
    public const string Dial = "p2p.dial";

    /// <summary>A link is fetched.</summary>
    public const string Fetch = "p2p.fetch";

    /// <summary>A file or folder is read and hashed.</summary>
    public const string Import = "p2p.import";

    /// <summary>Starts activities; null comes back, at next to no cost, when nobody listens.</summary>
    public static readonly ActivitySource Source = new(P2PDiagnostics.ActivitySourceName);
}
