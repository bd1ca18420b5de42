using P2P.Core;

namespace P2P.Cli.Control;

/// <summary>Another process took the data folder since it was looked at.</summary>
/// <param name="failure">What the node said.</param>
/// <param name="mayStandBeside">Whether the command can do without the folder.</param>
internal sealed class FolderTakenException(P2PException failure, bool mayStandBeside) : Exception(failure.Message, failure)
{
    public P2PException Failure => failure;

    public bool MayStandBeside => mayStandBeside;
}
