namespace P2P.Core.Discovery;

/// <summary>One way to find peers on one interface, until the interface or the way fails.</summary>
internal interface ILanLink : IAsyncDisposable
{
    /// <summary>The interface, as it was when this began.</summary>
    LanInterface Card { get; }

    /// <summary>Whether it has failed, so that another has to take its place.</summary>
    bool IsOver { get; }

    /// <summary>Tells where we can be reached, when that has changed.</summary>
    void AnnounceChanges();
}
