using P2P.Core.Blocks;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>Reads files, folders or a stream and makes blocks of them: in place when they are files, so that nothing is copied.</summary>
/// <param name="store">Where the blocks are recorded; null computes the content id only.</param>
/// <param name="buffers">Buffers for reading.</param>
/// <param name="options">How.</param>
internal sealed class Importer(BlockStore? store, BlockBufferPool buffers, ImportOptions options)
{
    /// <summary>Imports one file, one folder, or several as one folder that holds them.</summary>
    /// <param name="paths">What to import; several need different names.</param>
    /// <param name="pin">The pin that every block joins, taken by the caller before the call. When this returns all changes are visible but not flushed: the caller's own commit does that.</param>
    /// <param name="progress">Told after each few blocks.</param>
    /// <param name="cancellationToken">Ends it; what was recorded stays under the pin.</param>
    /// <exception cref="ArgumentException">No paths, or two with the same name.</exception>
    /// <exception cref="P2PException">Not found, unreadable, or changed while it was read.</exception>
    public Task<ImportResult> ImportAsync(IReadOnlyCollection<string> paths, PinId pin, IProgress<ImportProgress>? progress, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Imports a stream from its position to its end; its blocks are copied into the store.</summary>
    public Task<ImportResult> ImportAsync(Stream content, PinId pin, IProgress<ImportProgress>? progress, CancellationToken cancellationToken) => throw new NotImplementedException();
}
