namespace P2P.Core.Content;

/// <summary>The faults that content itself can have, as errors for people.</summary>
internal static class ContentFault
{
    /// <summary>A node is not what its parent or its own fields promise.</summary>
    public static P2PException Contradiction(in Cid cid, string what) =>
        new(P2PErrorCode.Integrity, $"The content is malformed: block {cid.ToShortString()} {what}. Its publisher has to share it again.");

    /// <summary>There is no such path in the content.</summary>
    public static P2PException NoSuchPath(string path) =>
        new(P2PErrorCode.NotFound, $"There is no '{Diagnostics.UntrustedText.Clean(path)}' in this content.");
}
