using P2P.Core.Content;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>
/// After the index was rebuilt: gives pins and shares their blocks again. What lies in the user's files is imported again from there and counts when it gives the
/// same content id; everything else is walked from its root through the blocks that are here, and what is missing is asked for among peers.
/// </summary>
internal sealed class Reassembly(NodeRuntime runtime, BlockRefetch refetch)
{
    /// <summary>Walks of one pin (count): each fetch of inner nodes shows more of the tree; 32 levels are the deepest that is accepted.</summary>
    private const int MaxWalks = 32;

    private const int MaxMissing = 1 << 20;

    /// <summary>Ways to cut files that a share may have been made with (count): by size or content, with times or without. The pin does not say which.</summary>
    private const int ImportVariants = 4;

    private readonly List<string> _incomplete = [];

    /// <summary>Which shares and pins are not as they were, and why.</summary>
    public IReadOnlyList<string> Incomplete => _incomplete;

    /// <summary>Blocks that nobody has, with the pin that needs them.</summary>
    public List<(Cid Block, Pin Pin)> Lost { get; } = [];

    /// <summary>Puts everything together again. Nothing is done twice when an earlier run was interrupted.</summary>
    public async Task RunAsync(Action onProgress, CancellationToken cancellationToken)
    {
        Pin[] pins = [.. runtime.Store.GetPins()];
        foreach (Pin pin in pins.Where(pin => !pin.Root.IsEmpty))
        {
            onProgress();
            if (pin.Kind == PinKind.Temporary)
            {
                // goes on by itself when its user asks for it again
                await WalkOnceAsync(pin, static _ => { }, cancellationToken).ConfigureAwait(false);
                continue;
            }

            string? why = pin.Kind is PinKind.Shared or PinKind.Seeded ? await ImportAgainAsync(pin, cancellationToken).ConfigureAwait(false) : null;
            int lost = await WalkAsync(pin, onProgress, cancellationToken).ConfigureAwait(false);
            if (lost > 0)
                _incomplete.Add($"{NameOf(pin)}: {lost} blocks are missing{(why is null ? "" : $"; {why}")}");
        }

        if (_incomplete.Count > 0)
            return; // what belongs nowhere yet may belong there; a later repair goes on
        await runtime.Store.EndRebuildAsync(cancellationToken).ConfigureAwait(false);
        runtime.Garbage.Signal();
    }

    private static string NameOf(Pin pin) => pin.Name.Length > 0 ? pin.Name : pin.Root.ToString();

    /// <summary>Imports under a pin of its own first: what the files hold now may be something else, which the share must not serve.</summary>
    private async Task<string?> ImportAgainAsync(Pin pin, CancellationToken cancellationToken)
    {
        string[] paths = pin.Path is { } one ? [one] : [.. pin.Paths];
        if (paths.Length == 0)
            return null;
        using ShareSecret? secret = pin.WrappedKey.IsEmpty ? null : ShareSecret.Unwrap(runtime.ShareKeys, pin.WrappedKey);
        if (!pin.WrappedKey.IsEmpty && secret is null)
            return "its key cannot be unwrapped";
        PinId trial = await runtime.Store.AddPinAsync(new Pin { Kind = PinKind.Temporary, Root = pin.Root }, cancellationToken).ConfigureAwait(false);
        try
        {
            long key = secret is null ? 0 : await runtime.Store.AddShareKeyAsync(pin.WrappedKey, cancellationToken).ConfigureAwait(false);
            ImportOptions how = ShareRules.ForSecret(new ImportOptions { ContinueOnUnreadable = true }, secret, runtime.Buffers, key, secret is null ? null : pin.Name);
            bool isSame = false;
            for (int variant = 0; variant < ImportVariants && !isSame; variant++)
            {
                ImportOptions tried = how with { CutsByContent = (variant & 1) != 0, PreserveMetadata = (variant & 2) != 0 };
                isSame = (await new Importer(runtime.Store, runtime.Buffers, tried).ImportAsync(paths, trial, null, cancellationToken).ConfigureAwait(false)).Root == pin.Root;
            }

            // Joined while the trial keeps them: what is the share's own, also when the rest changed.
            await WalkOnceAsync(pin, static _ => { }, cancellationToken).ConfigureAwait(false);
            return isSame ? null : $"what lies at {string.Join(", ", paths)} is not what was shared";
        }
        catch (P2PException error)
        {
            return error.Message;
        }
        finally
        {
            await runtime.Store.RemovePinAsync(trial, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Walks a pin and fetches what is missing until nothing is, or nothing more comes. Returns how many blocks are missing in the end.</summary>
    private async Task<int> WalkAsync(Pin pin, Action onProgress, CancellationToken cancellationToken)
    {
        HashSet<Cid> given = [];
        for (int walk = 0; walk < MaxWalks; walk++)
        {
            HashSet<Cid> missing = [];
            await WalkOnceAsync(pin, block => _ = missing.Count < MaxMissing && missing.Add(block), cancellationToken).ConfigureAwait(false);
            missing.ExceptWith(given);
            if (missing.Count == 0)
                break;
            await refetch.FetchAsync(pin, [.. missing], block => given.Add(block), onProgress, cancellationToken).ConfigureAwait(false);
        }

        Lost.AddRange(given.Select(block => (block, pin)));
        return given.Count;
    }

    private async Task WalkOnceAsync(Pin pin, Action<Cid> onMissing, CancellationToken cancellationToken)
    {
        using ShareSecret? secret = pin.WrappedKey.IsEmpty ? null : ShareSecret.Unwrap(runtime.ShareKeys, pin.WrappedKey);
        var keeper = new ContentKeeper(null, runtime.Store, pin.Id, ShareSecret.FormOf(secret, runtime.Buffers), onMissing);
        try
        {
            await keeper.KeepAsync(pin.Root, cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException error) when (error.Code == P2PErrorCode.Integrity)
        {
            _incomplete.Add($"{NameOf(pin)}: {error.Message}"); // an unfinished fetch of malformed content
        }
    }
}
