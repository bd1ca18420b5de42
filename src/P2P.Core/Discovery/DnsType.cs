namespace P2P.Core.Discovery;

/// <summary>Kinds of DNS records that multicast DNS of peers knows (RFC 1035, 3.2.2; RFC 2782; RFC 3596).</summary>
internal enum DnsType : ushort
{
    /// <summary>An IPv4 address.</summary>
    A = 1,

    /// <summary>A name that stands for another.</summary>
    Ptr = 12,

    /// <summary>Texts.</summary>
    Txt = 16,

    /// <summary>An IPv6 address.</summary>
    Aaaa = 28,

    /// <summary>Where a service is: a host and a port.</summary>
    Srv = 33,

    /// <summary>In a question: all kinds.</summary>
    Any = 255,
}
