namespace P2P.Core.Store;

/// <summary>A fetch that can go on after a crash. A hint only: what it claims is hashed again before it counts.</summary>
/// <param name="Key">Names the fetch; one fetch per key.</param>
/// <param name="Root">What is fetched.</param>
/// <param name="TargetPath">The final name.</param>
/// <param name="PartPath">Where the bytes are gathered.</param>
/// <param name="Pin">The temporary pin that keeps the inner nodes; it survives a restart while this state names it.</param>
internal sealed record ResumeState(string Key, Cid Root, string TargetPath, string PartPath, PinId Pin);
