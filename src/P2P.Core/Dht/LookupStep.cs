namespace P2P.Core.Dht;

/// <summary>What a lookup wants of its caller now.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Contact">Whom to ask, for <see cref="LookupStepKind.Ask"/>.</param>
/// <param name="Until">When to ask the lookup again at the latest, for <see cref="LookupStepKind.Wait"/>; an answer or a failure comes first, mostly.</param>
internal readonly record struct LookupStep(LookupStepKind Kind, Contact? Contact = null, TimeSpan Until = default);

/// <summary>The kinds of <see cref="LookupStep"/>.</summary>
internal enum LookupStepKind
{
    /// <summary>Ask a contact, then come for the next step.</summary>
    Ask,

    /// <summary>Wait for an answer, a failure or the time that is told.</summary>
    Wait,

    /// <summary>The lookup has ended.</summary>
    Done,
}
