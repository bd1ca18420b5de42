namespace P2P.Cli.Values;

/// <summary>Addresses that this machine alone can reach.</summary>
internal static class Loopback
{
    /// <summary>Whether a multiaddr, as text, is one.</summary>
    public static bool Is(string address) =>
        address.StartsWith("/ip4/127.", StringComparison.Ordinal) || address.StartsWith("/ip6/::1/", StringComparison.Ordinal);
}
