namespace P2P.Core.Dht;

/// <summary>A lookup as who drives it sees it: along one path or along several that share nobody.</summary>
internal interface ILookup
{
    /// <summary>The point that is looked for.</summary>
    DhtKey Target { get; }

    /// <summary>Contacts asked so far.</summary>
    int Requests { get; }

    /// <summary>The nearest contacts that answered, the nearest first, at most k.</summary>
    List<Contact> Closest { get; }

    /// <summary>Everybody who answered, the nearest first.</summary>
    List<Contact> Answered { get; }

    /// <summary>What to do next. To be called until it says something else than ask.</summary>
    LookupStep Next(TimeSpan now);

    /// <summary>A contact answered.</summary>
    /// <returns>False: it was not asked, or has answered already.</returns>
    bool OnReply(in DhtKey peer, ReadOnlySpan<Contact> closer);

    /// <summary>A contact could not be reached or gave no usable answer.</summary>
    /// <returns>False: it was not asked, or has answered already.</returns>
    bool OnFailure(in DhtKey peer);

    /// <summary>From now on everybody within a part of the keyspace around the target is asked.</summary>
    void Extend(double reach, int extraRequests);

    /// <summary>By how many contacts, one telling of the next, a contact was reached; -1: unknown.</summary>
    int HopsTo(in DhtKey key);

    /// <summary>Ends it: what was looked for is found.</summary>
    void Stop();
}
