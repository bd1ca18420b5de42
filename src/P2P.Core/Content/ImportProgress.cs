namespace P2P.Core;

/// <summary>How far an import is.</summary>
/// <param name="Bytes">Bytes read and hashed.</param>
/// <param name="TotalBytes">Bytes in all, null while the tree is still being listed.</param>
/// <param name="Files">Files done.</param>
public readonly record struct ImportProgress(long Bytes, long? TotalBytes, int Files);
