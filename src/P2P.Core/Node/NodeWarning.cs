namespace P2P.Core;

/// <summary>Something that the operator should know.</summary>
/// <param name="Code">Stable name, for example <c>source_changed</c> or <c>port_taken</c>.</param>
/// <param name="Message">A sentence.</param>
public sealed record NodeWarning(string Code, string Message);
