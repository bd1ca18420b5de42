namespace P2P.Core.Store;

/// <summary>How sure the reader must be of the bytes (D4).</summary>
internal enum BlockReadPurpose
{
    /// <summary>To send: the reader verifies, so the bytes are hashed only when there is doubt about their source.</summary>
    Serve,

    /// <summary>Hash in any case: for own use, for audits, and when the same peer asks for the same block again within 60 s.</summary>
    Verify,
}
