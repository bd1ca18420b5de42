using System.IO.Enumeration;
using System.Text;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;
using P2P.Core.Store;

namespace P2P.Core.Content;

/// <summary>
/// Walks the folders of an import with a stack of its own, so any depth will do, and hands out work: steps in the order of the tree, and jobs
/// that hash. Small files are gathered to jobs of about a chunk, because a job for each would cost more than the hashing.
/// </summary>
internal sealed class ImportScan(BlockStore? store, ImportOptions options, ChannelWriter<ImportStep> steps, ChannelWriter<HashJob> jobs) : IDisposable
{
    private const int MaxFilesPerJob = 64;
    private const int MaxExcludedListed = 1000;

    private static readonly EnumerationOptions AllEntries = new()
    {
        AttributesToSkip = 0, // hidden files belong to a tree
        IgnoreInaccessible = false,
        RecurseSubdirectories = false,
        ReturnSpecialDirectories = false,
    };

    private readonly Stack<Folder> _folders = new();
    private readonly List<SafeFileHandle> _opened = []; // of large files; the assembly closes them unless the import ends early
    private readonly int _wholeBytes = options.MakeChunker().WholeBytes;
    private readonly FileCuts _cuts = new(options.MakeChunker());
    private HashJob? _gathering;

    /// <summary>What could not be read, each with the reason.</summary>
    public List<string> Unreadable { get; } = [];

    /// <summary>What is no file, folder or link.</summary>
    public List<string> Skipped { get; } = [];

    /// <summary>What patterns left out; the first of it.</summary>
    public List<string> Excluded { get; } = [];

    /// <summary>How much patterns left out; a folder counts once.</summary>
    public int ExcludedCount { get; private set; }

    /// <summary>Scans one path given by the user; a link given by name is followed, links inside are not.</summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="name">Its name as bytes.</param>
    /// <param name="inside">Its path in the import; empty when it is the root.</param>
    /// <param name="cancellationToken">Ends the scan.</param>
    public async Task ScanAsync(string path, byte[] name, string inside, CancellationToken cancellationToken)
    {
        if (inside.Length > 0 && IsExcluded(inside))
            return;
        string place = (Path.Exists(path) ? new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName : null) ?? path;
        if (Directory.Exists(place))
        {
            await BeginFolderAsync(new Entry(place, name, IsFolder: true, IsLink: false), inside, cancellationToken).ConfigureAwait(false);
            await ScanFoldersAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (File.Exists(place))
        {
            await AddFileAsync(new Entry(place, name, IsFolder: false, IsLink: false), cancellationToken).ConfigureAwait(false);
        }
        else
        {
            throw new P2PException(P2PErrorCode.NotFound, $"'{path}' does not exist, or it may not be looked at.");
        }
    }

    /// <summary>Begins a folder that exists only in the import, for several paths or as the root of a private share.</summary>
    public ValueTask BeginWrapperAsync(byte[] name, CancellationToken cancellationToken) => PutAsync(new ImportStep.BeginFolder(name), cancellationToken);

    /// <summary>Ends it.</summary>
    public ValueTask EndWrapperAsync(CancellationToken cancellationToken) => PutAsync(new ImportStep.EndFolder(), cancellationToken);

    /// <summary>Hands out what is still being gathered.</summary>
    public async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        if (_gathering is not { } job)
            return;
        _gathering = null;
        await jobs.WriteAsync(job, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes files that an import which ended early left open. Only when its parts have ended.</summary>
    public void Dispose()
    {
        foreach (SafeFileHandle handle in _opened)
            handle.Dispose();
    }

    private async Task ScanFoldersAsync(CancellationToken cancellationToken)
    {
        while (_folders.TryPeek(out Folder? folder))
        {
            if (!folder.Entries.TryDequeue(out Entry? entry))
            {
                _folders.Pop();
                await PutAsync(new ImportStep.EndFolder(), cancellationToken).ConfigureAwait(false);
                continue;
            }

            string inside = folder.Inside.Length == 0 ? entry.NameText : folder.Inside + "/" + entry.NameText;
            if (IsExcluded(inside))
                continue;
            if (entry.IsLink)
                await AddLinkAsync(entry, cancellationToken).ConfigureAwait(false);
            else if (entry.IsFolder)
                await BeginFolderAsync(entry, inside, cancellationToken).ConfigureAwait(false);
            else
                await AddFileAsync(entry, cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsExcluded(string inside)
    {
        if (options.Exclude?.Invoke(inside) != true)
            return false;
        ExcludedCount++;
        if (Excluded.Count < MaxExcludedListed)
            Excluded.Add(inside);
        return true;
    }

    private async ValueTask BeginFolderAsync(Entry entry, string inside, CancellationToken cancellationToken)
    {
        Queue<Entry> entries;
        NodeMetadata? metadata;
        try
        {
            metadata = options.PreserveMetadata ? NodeMetadata.OfFolder(entry.Path) : null;
            var found = new FileSystemEnumerable<Entry>(entry.Path, Entry.From, AllEntries);
            entries = new Queue<Entry>(found.OrderBy(static found => found.NameText, StringComparer.Ordinal));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Refuse(entry.Path, error);
            return;
        }

        await PutAsync(new ImportStep.BeginFolder(entry.Name, metadata), cancellationToken).ConfigureAwait(false);
        _folders.Push(new Folder(inside, entries));
    }

    private async ValueTask AddLinkAsync(Entry entry, CancellationToken cancellationToken)
    {
        string? target = null;
        try
        {
            target = new FileInfo(entry.Path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Refuse(entry.Path, error);
        }

        if (target is not null)
            await PutAsync(new ImportStep.Link(entry.Name, Encoding.UTF8.GetBytes(target)), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AddFileAsync(Entry entry, CancellationToken cancellationToken)
    {
        long now = store?.NowNs() ?? 0; // before the look: what is written after it gets a later time, or too near a one to be trusted
        if (!FileSystemDisk.Instance.TryGetIdentity(entry.Path, out FileIdentity identity))
        {
            PassOver(entry);
            return;
        }

        NodeMetadata? metadata = null;
        try
        {
            metadata = options.PreserveMetadata ? NodeMetadata.OfFile(entry.Path, identity) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Refuse(entry.Path, error);
            return;
        }

        var file = new ImportFile(entry.Path, entry.Name, identity) { CheckedNs = now, Metadata = metadata };
        if (store is not null && await ImportCache.FindAsync(store, file, options, cancellationToken).ConfigureAwait(false) is { } known)
        {
            await PutAsync(known, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (identity.Size <= _wholeBytes)
            await AddSmallAsync(file, cancellationToken).ConfigureAwait(false);
        else
            await AddLargeAsync(file, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AddSmallAsync(ImportFile file, CancellationToken cancellationToken)
    {
        if (_gathering is { } full && (full.Bytes + file.Identity.Size > options.Profile.ChunkBytes || full.Pieces.Count == MaxFilesPerJob))
            await FinishAsync(cancellationToken).ConfigureAwait(false);
        _gathering ??= new HashJob(options.Profile, options.Form);
        int piece = _gathering.Add(new HashPiece(file, 0, (int)file.Identity.Size, IsWhole: true));
        await PutAsync(new ImportStep.SmallFile(file, _gathering, piece), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AddLargeAsync(ImportFile file, CancellationToken cancellationToken)
    {
        try
        {
            file.Handle = file.Open();
            _opened.RemoveAll(static handle => handle.IsClosed);
            _opened.Add(file.Handle);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Refuse(file.Path, error);
            return;
        }

        await FinishAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach ((long offset, int length) in _cuts.Cut(file.Handle, file.Identity.Size))
            {
                var job = new HashJob(options.Profile, options.Form);
                job.Add(new HashPiece(file, offset, length, IsWhole: false));
                await PutAsync(new ImportStep.Chunk(job), cancellationToken).ConfigureAwait(false);
                await jobs.WriteAsync(job, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (EndOfStreamException)
        {
            file.Failure = file.Changed();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            file.Failure = error;
        }

        await PutAsync(new ImportStep.LargeFile(file), cancellationToken).ConfigureAwait(false);
    }

    // the assembly may be waiting for the very job that is being gathered here, so it is handed out before a wait
    private async ValueTask PutAsync(ImportStep step, CancellationToken cancellationToken)
    {
        if (steps.TryWrite(step))
            return;
        await FinishAsync(cancellationToken).ConfigureAwait(false);
        await steps.WriteAsync(step, cancellationToken).ConfigureAwait(false);
    }

    // no regular file: a pipe, socket or device, or a name that this runtime cannot spell, or it went away
    private void PassOver(Entry entry)
    {
        if (Path.Exists(entry.Path))
            Skipped.Add(entry.Path);
        else if (entry.NameText.Contains('\uFFFD'))
            Refuse(entry.Path, new IOException("its name is not valid UTF-8"));
        else
            Refuse(entry.Path, new FileNotFoundException("it is gone"));
    }

    /// <summary>Notes what cannot be read, or ends the import with it.</summary>
    public void Refuse(string path, Exception error)
    {
        if (!options.ContinueOnUnreadable)
        {
            throw new P2PException(
                error is FileNotFoundException or DirectoryNotFoundException ? P2PErrorCode.NotFound : P2PErrorCode.Permission,
                $"'{path}' cannot be read: {error.Message}. Nothing was shared; give access to it, leave it out, or choose to go on without what cannot be read.",
                error);
        }

        lock (Unreadable)
            Unreadable.Add($"{path}: {error.Message}");
    }

    private sealed record Folder(string Inside, Queue<Entry> Entries);

    private sealed record Entry(string Path, byte[] Name, bool IsFolder, bool IsLink)
    {
        public string NameText { get; } = Encoding.UTF8.GetString(Name);

        public static Entry From(ref FileSystemEntry entry)
        {
            string path = entry.ToFullPath();
            bool isLink = entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && new FileInfo(path).LinkTarget is not null;
            return new Entry(path, Encoding.UTF8.GetBytes(entry.FileName.ToString()), entry.IsDirectory && !isLink, isLink);
        }
    }
}
