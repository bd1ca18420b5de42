using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>
/// Keeps the list of what is announced: every block of what is shared with everybody, and of what is held for others the first block of each run. What
/// begins to be shared is added here; what is shared no longer is left out when the list is read, and then removed.
/// </summary>
/// <param name="store">Has the list.</param>
/// <param name="networks">All networks that are told, a bit each.</param>
internal sealed class AnnouncedBlocks(BlockStore store, int networks)
{
    /// <summary>Whether content may be announced: a share for named peers only is nobody else's business.</summary>
    public static bool MayAnnounce(Pin pin) => pin.Kind.IsServed() && pin.AllowedPeers.Count == 0 && !pin.Root.IsEmpty;

    /// <summary>Whether a block is announced for the sake of any of these pins.</summary>
    public static bool IsAnnounced(ReadOnlySpan<byte> key, IReadOnlyList<Pin> pins)
    {
        foreach (Pin pin in pins)
        {
            if (MayAnnounce(pin) && (pin.Kind != PinKind.Held || pin.Root.MultihashSpan.SequenceEqual(key)))
                return true;
        }

        return false;
    }

    /// <summary>Adds the blocks of what is shared since the last time.</summary>
    /// <returns>Whether there were any.</returns>
    public async Task<bool> UpdateAsync(CancellationToken cancellationToken)
    {
        HashSet<PinId> known = store.GetProvidedPins();
        List<Pin> added = [.. store.GetPins().Where(pin => IsComplete(pin) && !known.Remove(pin.Id))];
        foreach (PinId gone in known.Where(id => !store.TryGetPin(id, out Pin? pin) || !MayAnnounce(pin!)))
            await store.ChangeProvidesAsync(editor => editor.ForgetProvidedPin(gone), 1, cancellationToken).ConfigureAwait(false);
        await AddAsync([.. added.Select(static pin => Row(pin.Root.MultihashSpan.ToArray()))], cancellationToken).ConfigureAwait(false);
        HashSet<PinId> whole = [.. added.Where(static pin => pin.Kind != PinKind.Held).Select(static pin => pin.Id)];
        if (whole.Count > 0)
            await AddBlocksAsync(whole, cancellationToken).ConfigureAwait(false);
        foreach (Pin[] slice in added.Chunk(ProvideTable.SliceRows))
        {
            await store.ChangeProvidesAsync(
                editor =>
                {
                    foreach (Pin pin in slice)
                        editor.AddProvidedPin(pin.Id);
                },
                slice.Length,
                cancellationToken).ConfigureAwait(false);
        }

        return added.Count > 0;
    }

    /// <summary>Some networks were told of a block by itself.</summary>
    public Task NoteAsync(Cid cid, int told, CancellationToken cancellationToken)
    {
        (ulong, byte[])[] row = [Row(cid.MultihashSpan.ToArray())];
        return store.ChangeProvidesAsync(
            editor =>
            {
                editor.AddProvides(row, networks);
                editor.MarkProvided(row, told);
            },
            2,
            cancellationToken);
    }

    // what is being fetched to be seeded is served already, but not counted yet
    private static bool IsComplete(Pin pin) => MayAnnounce(pin) && (pin.Kind == PinKind.Held || pin.Blocks > 0);

    private static (ulong Place, byte[] Key) Row(byte[] key) => (DhtKey.Of(key).High, key);

    /// <summary>Goes through all blocks once, for all of these pins: a share does not know its blocks, but each block knows its shares.</summary>
    private async Task AddBlocksAsync(HashSet<PinId> pins, CancellationToken cancellationToken)
    {
        Dictionary<long, bool> sets = [];
        byte[] at = [];
        while (store.GetBlocksBehind(at) is { Count: > 0 } slice)
        {
            at = slice[^1].Key;
            await AddAsync([.. slice.Where(block => IsIn(block.PinSet)).Select(static block => Row(block.Key))], cancellationToken).ConfigureAwait(false);
        }

        bool IsIn(long set)
        {
            if (!sets.TryGetValue(set, out bool isIn))
                sets.Add(set, isIn = store.GetPinsOfSet(set).Any(pin => pins.Contains(pin.Id)));
            return isIn;
        }
    }

    private async Task AddAsync(List<(ulong Place, byte[] Key)> rows, CancellationToken cancellationToken)
    {
        foreach ((ulong, byte[])[] slice in rows.Chunk(ProvideTable.SliceRows))
            await store.ChangeProvidesAsync(editor => editor.AddProvides(slice, networks), slice.Length, cancellationToken).ConfigureAwait(false);
    }
}
