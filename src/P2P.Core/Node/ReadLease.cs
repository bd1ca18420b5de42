using P2P.Core.Blocks;
using P2P.Core.Exchange;

namespace P2P.Core.Node;

/// <summary>A reader's hold on a session. Disposing it lets go.</summary>
/// <param name="session">The session.</param>
/// <param name="source">The session as this reader waits for it.</param>
internal sealed class ReadLease(BitswapSession session, IBlockSource source) : IAsyncDisposable
{
    /// <summary>Where blocks come from.</summary>
    public IBlockSource Source => source;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => session.DisposeAsync();
}
