namespace P2P.Core;

/// <summary>Why an operation failed. The names are a contract: the command line prints them and maps them to exit codes.</summary>
public enum P2PErrorCode
{
    /// <summary>The content, path or peer does not exist; nobody is known who has it, or those who are known answer that they do not.</summary>
    NotFound,

    /// <summary>Somebody is named as having it and was not reached, or stopped sending.</summary>
    Unreachable,

    /// <summary>Content did not verify: bytes, a decoded node or a declared size contradict what was promised.</summary>
    Integrity,

    /// <summary>A shared file was changed, moved or removed while it was shared.</summary>
    SourceChanged,

    /// <summary>The disk is full.</summary>
    NoSpace,

    /// <summary>A configured limit on disk use would be exceeded.</summary>
    Quota,

    /// <summary>The operating system refused access.</summary>
    Permission,

    /// <summary>The target exists with other content.</summary>
    Exists,

    /// <summary>Something that only one process may use is in use by another.</summary>
    InUse,

    /// <summary>A peer broke the protocol.</summary>
    Protocol,

    /// <summary>The data folder is damaged or of a newer version.</summary>
    Store,
}
