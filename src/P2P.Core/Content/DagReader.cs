using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>Reads UnixFS content over a block source without writing it anywhere: paths, lists, byte ranges.</summary>
internal sealed class DagReader(IBlockSource source, BlockBufferPool buffers)
{
    /// <summary>Finds an entry by its path inside the root; the path of the result is the one given.</summary>
    /// <exception cref="P2PException">NotFound: there is no such path; Integrity: the nodes contradict each other.</exception>
    public Task<ContentEntry> ResolveAsync(Cid root, string? path, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Lists what is below a path, in the order of the nodes; a file gives itself.</summary>
    public IAsyncEnumerable<ContentEntry> ListAsync(Cid root, string? path, bool recursive, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Opens one file for reading.</summary>
    public Task<VerifiedStream> OpenAsync(Cid root, string? path, CancellationToken cancellationToken) => throw new NotImplementedException();
}
