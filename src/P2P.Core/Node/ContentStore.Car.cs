using P2P.Core.Node;

namespace P2P.Core;

/// <content>Archives.</content>
public sealed partial class ContentStore
{
    /// <summary>
    /// Writes what a link leads to as a CAR archive of version 1, from the store and the network: every block below it once, depth first in the order of the
    /// links. The target path gets its name when the archive is whole and flushed.
    /// </summary>
    /// <param name="link">What to write; with a path, what is at that path.</param>
    /// <param name="targetPath">The file to become; its folder must exist.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="cancellationToken">Ends it; nothing stays behind.</param>
    /// <exception cref="P2PException">Nobody has a block of it, a block is malformed, the target exists, the disk refused, or the share is private.</exception>
    public Task<CarExportResult> ExportCarAsync(ShareLink link, string targetPath, CarExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentException.ThrowIfNullOrEmpty(targetPath);
        return new CarTransfer(_runtime).ExportAsync(link, targetPath, options ?? new CarExportOptions(), cancellationToken);
    }

    /// <summary>Writes what a link leads to as a CAR archive of version 1 to a stream, which is flushed and not disposed.</summary>
    /// <param name="link">What to write; with a path, what is at that path.</param>
    /// <param name="destination">Where to; after a failure it may hold a part of the archive.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="P2PException">Nobody has a block of it, a block is malformed, or the share is private.</exception>
    public Task<CarExportResult> ExportCarAsync(ShareLink link, Stream destination, CarExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(destination);
        return new CarTransfer(_runtime).ExportAsync(link, destination, options ?? new CarExportOptions(), cancellationToken);
    }

    /// <summary>Takes a CAR archive of version 1 or 2 into the store and keeps it under a pin for each of its roots. Every block is verified; content that is not whole is taken and said.</summary>
    /// <param name="archive">Read from its position to its end; not disposed.</param>
    /// <param name="options">How; null: by the defaults.</param>
    /// <param name="cancellationToken">Ends it; what was taken in is let go.</param>
    /// <exception cref="P2PException">It is no sound archive, or the store is full. Nothing of it is kept then.</exception>
    public Task<CarImportResult> ImportCarAsync(Stream archive, CarImportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(archive);
        return new CarTransfer(_runtime).ImportAsync(archive, options ?? new CarImportOptions(), cancellationToken);
    }
}
