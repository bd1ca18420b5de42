using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>A block that a session wants, and who was asked for it.</summary>
internal sealed class Want
{
    /// <summary>What an unknown size counts as (bytes): a DAG node with a thousand links.</summary>
    private const int UnknownBytes = 64 << 10;

    public required Cid Cid { get; init; }

    public required MultihashKey Key { get; init; }

    /// <summary>The size that scheduling counts with (bytes).</summary>
    public int Bytes => ExpectedBytes > 0 ? ExpectedBytes : UnknownBytes;

    /// <summary>The size as the parent claims it (bytes), 0 when unknown.</summary>
    public int ExpectedBytes { get; init; }

    /// <summary>Others wait for it: a node whose children are not known yet, or a reader. Goes before everything else.</summary>
    public bool IsCritical { get; set; }

    public long Sequence { get; init; }

    /// <summary>Whom to tell. Owned by the session.</summary>
    public List<WantRequest> Requests { get; } = new(1);

    /// <summary>Who was asked and has not answered. More than one only near the end or when someone is late.</summary>
    public List<Assignment> Assignments { get; } = new(1);

    /// <summary>Providers that said that they lack it, one bit each.</summary>
    public ulong Lacking { get; set; }

    /// <summary>Providers that let it time out: asked again only when there is nobody else.</summary>
    public ulong Tried { get; set; }

    /// <summary>Providers that answered with other bytes.</summary>
    public ulong Wrong { get; set; }

    public WantPlace Place { get; set; }

    /// <summary>When somebody was last told that nobody has it.</summary>
    public TimeSpan? ReportedAt { get; set; }
}

/// <summary>Where a want is.</summary>
internal enum WantPlace
{
    /// <summary>Waits for a provider with room.</summary>
    Queued,

    /// <summary>Somebody was asked.</summary>
    Asked,

    /// <summary>No connected provider may have it.</summary>
    Starved,

    /// <summary>Delivered, failed or given up.</summary>
    Done,
}

/// <summary>Somebody who waits for a block.</summary>
internal readonly record struct WantRequest(Cid Cid, IBlockSink Sink, long Tag);

/// <summary>A want that was given to a provider.</summary>
internal sealed class Assignment(Want want, Provider provider)
{
    public Want Want { get; } = want;

    public Provider Provider { get; } = provider;

    /// <summary>When it was asked.</summary>
    public TimeSpan At { get; set; }

    /// <summary>Bytes that were asked of the provider before and are not here yet, at that time.</summary>
    public long BytesAhead { get; init; }

    /// <summary>How often the same provider was asked again.</summary>
    public int Repeats { get; set; }

    public LinkedListNode<Assignment>? Node { get; set; }
}
