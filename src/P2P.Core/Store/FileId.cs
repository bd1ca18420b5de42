namespace P2P.Core.Store;

/// <summary>Names a source file that the index knows. Assigned when the file is added, valid for as long as the store, also after a restart.</summary>
internal readonly record struct FileId(long Value)
{
    /// <summary>Whether this is <c>default</c>, which names no file.</summary>
    public bool IsNone => Value == 0;

    public override string ToString() => $"file {Value}";
}
