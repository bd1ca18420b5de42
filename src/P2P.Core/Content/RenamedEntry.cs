namespace P2P.Core;

/// <summary>A name that this system cannot hold and what it became.</summary>
/// <param name="From">The name as shared, with its path inside the root.</param>
/// <param name="To">The name on disk.</param>
public sealed record RenamedEntry(string From, string To);
