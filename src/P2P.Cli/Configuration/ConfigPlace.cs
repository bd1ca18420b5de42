namespace P2P.Cli.Configuration;

/// <summary>The configuration file that is read, and written by <c>p2p config set</c>.</summary>
/// <param name="Path">Its absolute path; it need not exist.</param>
/// <param name="IsNamed">Whether <c>--config</c> or <c>P2P_CONFIG</c> names it; otherwise it is the data folder's own and may be missing.</param>
/// <param name="IsOwn">Whether it lies in the data folder as its own, named or not.</param>
internal sealed record ConfigPlace(string Path, bool IsNamed, bool IsOwn)
{
    /// <summary>Why <c>data</c> has no place in the data folder's own file: it would have to be read before it can be found.</summary>
    public const string NoDataInside = "the data folder cannot be set inside the data folder. Use --data, P2P_DATA or --config FILE.";
}
