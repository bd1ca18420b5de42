using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>Fetches a file or folder to exactly one path: gathered in a private <c>.part</c> beside it, verified, flushed, renamed once.</summary>
/// <param name="source">Where blocks come from.</param>
/// <param name="store">Keeps the inner nodes and knows where the written blocks lie, so that they can be served; null: nothing is recorded.</param>
/// <param name="buffers">Buffers for reading back.</param>
/// <param name="options">How.</param>
/// <param name="logger">Where its log goes.</param>
internal sealed class TreeFetcher(IBlockSource source, BlockStore? store, BlockBufferPool buffers, TreeFetchOptions options, ILogger logger)
{
    /// <summary>How far it is; may be read from any thread.</summary>
    public TreeFetchProgress Progress => throw new NotImplementedException();

    /// <summary>Fetches. Once for each instance.</summary>
    /// <param name="root">The root of the link.</param>
    /// <param name="path">A path inside it; null or empty: all.</param>
    /// <param name="targetPath">What to become; its parent must exist.</param>
    /// <param name="pin">The pin that inner nodes and written blocks join, taken by the caller before the call; a served kind serves them while they arrive.</param>
    /// <param name="cancellationToken">Ends it at a block boundary; what is verified stays and the same call resumes from it.</param>
    /// <exception cref="P2PException">Exists, InUse, NoSpace, Permission, Integrity, NotFound, or what the source reported.</exception>
    public Task<TreeFetchResult> FetchAsync(Cid root, string? path, string targetPath, PinId pin, CancellationToken cancellationToken) => throw new NotImplementedException();
}
