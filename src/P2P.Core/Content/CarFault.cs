namespace P2P.Core.Content;

/// <summary>What can be wrong with an archive, as errors for people.</summary>
internal static class CarFault
{
    /// <summary>The archive is malformed, cut or holds wrong bytes.</summary>
    /// <param name="position">Where (bytes from its beginning).</param>
    /// <param name="what">What, as the end of a sentence.</param>
    public static P2PException At(long position, string what) =>
        new(P2PErrorCode.Integrity, $"The CAR archive cannot be taken: {what} (byte {position}).");

    /// <summary>The archive is of a kind that cannot be read.</summary>
    public static P2PException Unsupported(string what) =>
        new(P2PErrorCode.Integrity, $"This CAR archive cannot be read: {what}. Versions 1 and 2 can be.");
}
