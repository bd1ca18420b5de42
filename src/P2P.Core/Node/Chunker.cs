namespace P2P.Core;

/// <summary>How files are cut into blocks.</summary>
public enum Chunker
{
    /// <summary>Into blocks of 1 MiB (IPIP-499, unixfs-v1-2025).</summary>
    Fixed,

    /// <summary>
    /// Where the content says so (FastCDC; 128 KiB to 1 MiB, 512 KiB on average): when bytes are inserted or removed, the blocks around stay the same, so
    /// who seeds one version fetches only the rest of the next. The content id is another than with fixed blocks.
    /// </summary>
    FastCdc,
}
