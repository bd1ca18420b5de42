using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Store;

/// <summary>Knows which source files are in doubt, and tells once of each that changed. Thread-safe; files that are sound take no memory here.</summary>
internal sealed class SourceWatch(ILogger logger)
{
    /// <summary>Notices that wait to be read (count); the oldest go first, since <see cref="StateOf"/> and the index still know all.</summary>
    private const int MaxWaitingNotices = 256;

    private readonly ConcurrentDictionary<long, SourceState> _doubts = new();
    private readonly Channel<SourceChangedNotice> _notices = Channel.CreateBounded<SourceChangedNotice>(
        new BoundedChannelOptions(MaxWaitingNotices) { FullMode = BoundedChannelFullMode.DropOldest });

    public ChannelReader<SourceChangedNotice> Notices => _notices.Reader;

    public SourceState StateOf(long file) => _doubts.GetValueOrDefault(file, SourceState.Sound);

    public void Set(long file, SourceState state)
    {
        if (state == SourceState.Sound)
            _doubts.TryRemove(file, out _);
        else
            _doubts[file] = state;
    }

    /// <summary>A file is not what it was. True: this is news, and the index should know.</summary>
    public bool Report(SourceRow row, SourceChange change, in Cid cid, long offset)
    {
        SourceState after = change == SourceChange.Edited ? SourceState.Edited : SourceState.Missing;
        SourceState before = StateOf(row.Id);

        // A file that we write may be gone any time; of one that was imported anew under its name, or is known to be edited, nobody needs to hear again.
        if (before == after || before is SourceState.BeingWritten or SourceState.Superseded or SourceState.Edited || row.State == SourceState.BeingWritten)
            return false;
        _doubts[row.Id] = after;
        if (before == SourceState.Sound)
        {
            StoreLog.SourceChanged(logger, row.Path, change, cid, offset);
            _notices.Writer.TryWrite(new SourceChangedNotice(new FileId(row.Id), row.Path, change, cid, offset));
        }
        return true;
    }

    /// <summary>A file that was missing is back. True: the index should know.</summary>
    public bool ReportBack(long file) => _doubts.TryRemove(new KeyValuePair<long, SourceState>(file, SourceState.Missing));

    public void Close() => _notices.Writer.TryComplete();
}
