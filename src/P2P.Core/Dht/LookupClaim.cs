namespace P2P.Core.Dht;

/// <summary>Whether a path of a lookup may ask a contact.</summary>
internal enum LookupClaim
{
    /// <summary>It may: nobody else will.</summary>
    Granted,

    /// <summary>Another path has asked it.</summary>
    Taken,

    /// <summary>Another path has asked it in vain.</summary>
    Failed,
}
