namespace P2P.Core.Connections;

/// <summary>Who waits for a dial: decides its budget and whether a peer's back-off counts.</summary>
internal enum DialPurpose
{
    /// <summary>Somebody waits for it now.</summary>
    Awaited,

    /// <summary>Refresh, repair and other work that can wait: smaller budget, and peers that failed lately are left alone.</summary>
    Background,
}
