using System.Net;

namespace P2P.Core.Discovery;

/// <summary>A message of multicast DNS, as far as peers need it (RFC 6762, 18).</summary>
internal sealed record DnsMessage
{
    /// <summary>0 in multicast; that of the query in an answer to one that came from another port than 5353.</summary>
    public ushort Id { get; init; }

    /// <summary>Whether it answers.</summary>
    public bool IsResponse { get; init; }

    /// <summary>What is asked.</summary>
    public IReadOnlyList<DnsQuestion> Questions { get; init; } = [];

    /// <summary>What is answered; in a query what the asker knows already.</summary>
    public IReadOnlyList<DnsRecord> Answers { get; init; } = [];

    /// <summary>What goes with the answers; when read, the records of authority too.</summary>
    public IReadOnlyList<DnsRecord> Additionals { get; init; } = [];
}

/// <summary>A question.</summary>
/// <param name="Name">The name, labels joined by dots.</param>
/// <param name="Type">The kind of records.</param>
/// <param name="WantsUnicast">Whether the answer may come to the asker alone.</param>
internal readonly record struct DnsQuestion(string Name, DnsType Type, bool WantsUnicast = false);

/// <summary>A record of class IN. Of its kinds of data the one that its type has is set.</summary>
/// <param name="Name">Whose it is, labels joined by dots.</param>
/// <param name="Type">Its kind.</param>
/// <param name="TimeToLive">How long it may be kept (seconds); 0: it is gone.</param>
internal sealed record DnsRecord(string Name, DnsType Type, uint TimeToLive)
{
    /// <summary>Whether it replaces what was known of its name and kind.</summary>
    public bool IsUnique { get; init; }

    /// <summary>The name that a pointer or a service names; otherwise empty.</summary>
    public string Target { get; init; } = "";

    /// <summary>The port of a service.</summary>
    public ushort Port { get; init; }

    /// <summary>The texts, at most 255 bytes each.</summary>
    public IReadOnlyList<byte[]> Texts { get; init; } = [];

    /// <summary>The address of a host.</summary>
    public IPAddress? Address { get; init; }
}
