namespace P2P.Core;

/// <summary>What to do when a fetch's target exists with other content.</summary>
public enum IfExists
{
    /// <summary>Fail with <see cref="P2PErrorCode.Exists"/> before a byte is fetched.</summary>
    Fail,

    /// <summary>Replace it, but only once the new content is verified.</summary>
    Overwrite,

    /// <summary>Write beside it, as <c>NAME (1).EXT</c>.</summary>
    Rename,
}
