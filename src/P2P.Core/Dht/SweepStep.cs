namespace P2P.Core.Dht;

/// <summary>What a sweep wants done now.</summary>
internal readonly record struct SweepStep
{
    private SweepStep(SweepStepKind kind) => Kind = kind;

    /// <summary>What to do.</summary>
    public SweepStepKind Kind { get; private init; }

    /// <summary>The point, for <see cref="SweepStepKind.LookUp"/>.</summary>
    public DhtKey Target { get; private init; }

    /// <summary>Any point that shares so many bits with the target will do: the wire takes names, and one has to be found whose hash is there.</summary>
    public int PrefixBits { get; private init; }

    /// <summary>Whom to tell, for <see cref="SweepStepKind.Tell"/>.</summary>
    public Contact? Contact { get; private init; }

    /// <summary>What: the keys to tell, or the one key to announce for <see cref="SweepStepKind.Provide"/>.</summary>
    public IReadOnlyList<ProvideKey> Keys { get; private init; } = [];

    /// <summary>When to ask again at the latest, for <see cref="SweepStepKind.Wait"/>.</summary>
    public TimeSpan Until { get; private init; }

    public static SweepStep Wait(TimeSpan until) => new(SweepStepKind.Wait) { Until = until };

    public static SweepStep LookUp(DhtKey target, int prefixBits) => new(SweepStepKind.LookUp) { Target = target, PrefixBits = prefixBits };

    public static SweepStep Tell(Contact contact, IReadOnlyList<ProvideKey> keys) => new(SweepStepKind.Tell) { Contact = contact, Keys = keys };

    public static SweepStep Provide(ProvideKey key) => new(SweepStepKind.Provide) { Keys = [key] };
}

/// <summary>The kinds of <see cref="SweepStep"/>.</summary>
internal enum SweepStepKind
{
    /// <summary>Nothing until something under way has ended, or the time that is told.</summary>
    Wait,

    /// <summary>Find the 20 closest to a point, then <see cref="ProvideSweep.OnLookup"/>.</summary>
    LookUp,

    /// <summary>Tell one node, over one connection, that we provide these keys, then <see cref="ProvideSweep.OnTold"/>.</summary>
    Tell,

    /// <summary>Announce one key in the ordinary way, then <see cref="ProvideSweep.OnProvided"/>.</summary>
    Provide,
}
