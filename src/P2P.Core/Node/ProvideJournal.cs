using System.Globalization;
using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>What one network is told, and how far it was told: in the index. Changes are gathered and written by <see cref="FlushAsync"/>. Used by one loop.</summary>
/// <param name="store">Has the list and the progress.</param>
/// <param name="protocol">The network.</param>
/// <param name="network">Its bit in the list.</param>
internal sealed class ProvideJournal(BlockStore store, string protocol, int network) : IProvideJournal
{
    /// <summary>Rows that are noted to be removed (count); the rest at another time.</summary>
    private const int MaxDropped = 65_536;

    private const int SmallestPage = 64;

    private readonly HashSet<DhtKey> _told = [];
    private readonly List<(ulong Place, byte[] Key)> _marked = [], _dropped = [];
    private SweepProgress? _progress;

    private string Setting => string.Create(CultureInfo.InvariantCulture, $"dht/sweep/{network}");

    /// <summary>Prepares it: a network that is told for the first time, or is another than the last one, is told everything.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (LoadProgress() is null)
            await store.ChangeProvidesAsync(editor => editor.MarkAllNew(network), ProvideTable.SliceRows, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public List<ProvideKey> Read(DhtKey from, DhtKey to, int max, bool onlyNew)
    {
        List<ProvideKey> found = [];
        ulong place = from.High;
        while (true)
        {
            int page = Math.Clamp(max - found.Count + 1, SmallestPage, ProvideTable.SliceRows);
            IReadOnlyList<ProvideRow> rows = store.GetProvides(place, to.High, onlyNew ? network : 0, page);
            foreach (ProvideRow row in rows)
            {
                DhtKey key = DhtKey.Of(row.Key);
                bool isNew = (row.NewFor & network) != 0 && !_told.Contains(key);
                if (key < from || key > to || (onlyNew && !isNew))
                    continue;
                if (!AnnouncedBlocks.IsAnnounced(row.Key, store.GetPinsOfSet(row.PinSet)))
                {
                    if (_dropped.Count < MaxDropped)
                        _dropped.Add((row.Place, row.Key));
                    continue;
                }

                found.Add(new ProvideKey(key, row.Key, isNew));
                if (found.Count == max)
                    return found;
            }

            if (rows.Count < page || rows[^1].Place == ulong.MaxValue)
                return found;
            place = rows[^1].Place + 1;
        }
    }

    /// <inheritdoc/>
    public void MarkProvided(IReadOnlyList<ProvideKey> keys)
    {
        foreach (ProvideKey key in keys)
        {
            if (_told.Add(key.Key))
                _marked.Add((key.Key.High, key.Name.ToArray()));
        }
    }

    /// <inheritdoc/>
    public SweepProgress? LoadProgress()
    {
        if (_progress is not null || store.GetSetting(Setting) is not { } text)
            return _progress;
        string[] lines = text.Split('\n');
        if (lines.Length < 5 || lines[0] != protocol)
            return null;
        try
        {
            var cursor = DhtKey.FromBytes(Convert.FromHexString(lines[1]));
            return new SweepProgress(cursor, Time(lines[2]), Time(lines[3]), double.Parse(lines[4], CultureInfo.InvariantCulture), string.Join('\n', lines[5..]));
        }
        catch (Exception error) when (error is FormatException or OverflowException or ArgumentException)
        {
            return null; // a damaged index: it begins anew
        }
    }

    /// <inheritdoc/>
    public void SaveProgress(SweepProgress progress) => _progress = progress;

    /// <inheritdoc/>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        foreach ((ulong, byte[])[] slice in _marked.Chunk(ProvideTable.SliceRows))
            await store.ChangeProvidesAsync(editor => editor.MarkProvided(slice, network), slice.Length, cancellationToken).ConfigureAwait(false);
        foreach ((ulong, byte[])[] slice in _dropped.Chunk(ProvideTable.SliceRows))
            await store.ChangeProvidesAsync(editor => editor.DropProvides(slice, AnnouncedBlocks.IsAnnounced), slice.Length, cancellationToken).ConfigureAwait(false);
        _marked.Clear();
        _told.Clear();
        _dropped.Clear();
        if (_progress is not { } progress)
            return;
        byte[] cursor = new byte[DhtKey.Bytes];
        progress.Cursor.WriteBytes(cursor);
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{protocol}\n{Convert.ToHexStringLower(cursor)}\n{progress.Due.Ticks}\n{progress.LastActive.Ticks}\n{progress.Rush:R}\n{progress.Addresses}");
        await store.ChangeProvidesAsync(editor => editor.SetSetting(Setting, text), 1, cancellationToken).ConfigureAwait(false);
        _progress = null;
    }

    private static TimeSpan Time(string ticks) => TimeSpan.FromTicks(long.Parse(ticks, CultureInfo.InvariantCulture));
}
