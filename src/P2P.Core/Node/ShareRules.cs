using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Node;

/// <summary>What the options of a share mean for its import, and the import that only tries them out.</summary>
internal static class ShareRules
{
    /// <summary>Copies that may be asked for (count).</summary>
    private const int MaxReplicas = 16;

    /// <summary>Options for the importer.</summary>
    /// <exception cref="ArgumentException">A pattern is none.</exception>
    public static ImportOptions ForImport(ShareOptions options)
    {
        if (options.Replicas is < 0 or > MaxReplicas)
            throw new ArgumentException($"{options.Replicas} replicas are not between 0 and {MaxReplicas}.", nameof(options));
        if (options.OnLan && options.Private)
            throw new ArgumentException("A private share is told to nobody on the local network: nobody there has its key. Give its link to whom it is for.", nameof(options));
        if (options.Replicas > 0 && options.AllowedPeers?.Count > 0)
            throw new ArgumentException("Replicas are given to whoever asks their holders: they cannot be had of a share for named peers only.", nameof(options));
        Glob[] exclude = PatternsOf(options);
        return new ImportOptions
        {
            CutsByContent = options.Chunker == Chunker.FastCdc,
            PreserveMetadata = options.PreserveMetadata,
            ContinueOnUnreadable = options.ContinueOnUnreadable,
            Exclude = exclude.Length == 0 ? null : inside => Array.Exists(exclude, glob => glob.IsMatch(inside)),
        };
    }

    /// <summary>Options for the import of a private share, or the same when there is no secret.</summary>
    /// <exception cref="ArgumentException">No entry of a folder can have the name.</exception>
    public static ImportOptions ForSecret(ImportOptions import, ShareSecret? secret, BlockBufferPool buffers, long storeKey, string? name)
    {
        if (secret is null)
            return import;
        if (name is not null && PathRules.IsForbidden(System.Text.Encoding.UTF8.GetBytes(name)))
            throw new ArgumentException($"A private share cannot be named '{name}': its name is that of a file or folder inside.", nameof(name));
        return import with { Form = secret.ToForm(buffers, storeKey), Profile = UnixFsProfile.Private, Name = name };
    }

    /// <summary>Refuses patterns that match nothing, where that was asked for.</summary>
    public static void Check(IReadOnlyCollection<string> paths, ShareOptions options, CancellationToken cancellationToken)
    {
        if (options.ExcludeMustMatch && PatternsOf(options) is { Length: > 0 } patterns)
            ExcludeCheck.Require(paths, patterns, cancellationToken);
    }

    /// <summary>Imports into nothing and says what a share would hold.</summary>
    public static async Task<SharePreview> PreviewAsync(
        IReadOnlyCollection<string> paths, ShareOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellationToken)
    {
        string[] full = [.. paths.Select(Path.GetFullPath)];
        ImportOptions import = ForImport(options) with { ContinueOnUnreadable = true }; // all of it is told at once
        Check(full, options, cancellationToken);
        ThrottledProgress<ImportProgress>? reports = progress is null ? null : new ThrottledProgress<ImportProgress>(progress, TimeProvider.System);
        var buffers = new BlockBufferPool();
        using ShareSecret? secret = options.Private ? ShareSecret.New() : null; // thrown away: the real one gives other ids but as many blocks
        ImportResult result = await new Importer(store: null, buffers, ForSecret(import, secret, buffers, storeKey: 0, options.Name)).ImportAsync(full, default, reports, cancellationToken).ConfigureAwait(false);
        reports?.ReportHeldBack();
        return new SharePreview(options.Private ? default : result.Root, options.Name ?? result.Name, result.Kind, result.Bytes, result.Blocks, result.Files)
        {
            Excluded = result.Excluded,
            ExcludedCount = result.ExcludedCount,
            Unreadable = result.Unreadable,
            Skipped = result.Skipped,
        };
    }

    private static Glob[] PatternsOf(ShareOptions options)
    {
        var globs = new List<Glob>();
        foreach (string pattern in options.Exclude ?? [])
            globs.Add(Glob.TryParse(pattern, out Glob? glob, out string? why) ? glob : throw new ArgumentException(why, nameof(options)));
        return [.. globs];
    }
}
