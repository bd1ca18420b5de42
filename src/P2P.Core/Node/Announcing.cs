using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Says in the DHT what this node has: each root at once when it is shared, and every block by and by, again before others forget it.</summary>
internal sealed class Announcing
{
    /// <summary>Roots announced one by one after a start, the latest first (count), and heads of runs at the same time (count); the sweep comes to the others.</summary>
    private const int MaxRoots = 100, MaxHeads = 8;

    /// <summary>How long a caller waits for an announcement; it goes on behind its back.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A pause between two roots, so that a start with many shares is no burst.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.1);

    /// <summary>How often it is looked for what is shared, if nobody says so.</summary>
    private static readonly TimeSpan UpdateInterval = TimeSpan.FromMinutes(10);

    /// <summary>After a failure of the store.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>What is shared one after the other is listed together.</summary>
    private static readonly TimeSpan GatherFor = TimeSpan.FromSeconds(1);

    /// <summary>Counts are shown that are not older than this.</summary>
    private static readonly TimeSpan CountsAge = TimeSpan.FromSeconds(5);

    private readonly NodeRuntime _runtime;
    private readonly ILogger _logger;
    private readonly AnnouncedBlocks _blocks;
    private readonly ProvideJournal[] _journals;
    private readonly DhtSweep[] _sweeps;
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new(); // guards what follows
    private int _heads; // being announced
    private (long All, long New) _counts;
    private long? _countedAt;

    public Announcing(NodeRuntime runtime, NodeSeams seams)
    {
        _runtime = runtime;
        _logger = seams.Loggers.CreateLogger("P2P.Core.Node");
        IReadOnlyList<DhtNode> all = runtime.Dht.All;
        _blocks = new AnnouncedBlocks(runtime.Store, (1 << all.Count) - 1);
        _journals = [.. all.Select((dht, i) => new ProvideJournal(runtime.Store, dht.Protocol, 1 << i))];
        SweepSettings settings = SweepSettings.Default with { Interval = runtime.Settings.ProvideInterval };
        ILogger dhtLogger = seams.Loggers.CreateLogger("P2P.Core.Dht");
        _sweeps = [.. all.Select((dht, i) => new DhtSweep(dht, _journals[i], settings, seams.Time, seams.ForkRandom(), dhtLogger))];
    }

    /// <summary>Adds what is announced to what is said of the DHT.</summary>
    public DhtStatus Describe(DhtStatus status)
    {
        lock (_gate)
        {
            if (_countedAt is not { } at || _runtime.Time.GetElapsedTime(at) > CountsAge)
                (_counts, _countedAt) = (_runtime.Store.CountProvides(), _runtime.Time.GetTimestamp());
            return status with { Announced = _counts.All, NeverAnnounced = _counts.New, Lag = _sweeps.Max(static sweep => sweep.Lag) };
        }
    }

    /// <summary>Announces a root and looks whether a stranger would find it.</summary>
    /// <returns>How it went; what is not done in a few seconds is done behind the caller's back and does not count.</returns>
    public async Task<Announcement> AnnounceAsync(Cid root, CancellationToken cancellationToken)
    {
        _changed.Writer.TryWrite(true);
        await _runtime.Dht.EnterAsync(cancellationToken).ConfigureAwait(false);
        if (!_runtime.Dht.HasContacts)
            return default;
        Task<Announcement> work = _runtime.RunInBackground(token => ProvideAsync(root, DialPurpose.Awaited, token));
        try
        {
            return await work.WaitAsync(Patience, _runtime.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new Announcement(0, RoutingTableSettings.K, Verified: false);
        }
    }

    /// <summary>Announces the head of a run that is held from now on, behind the caller's back; when many come, with the others of its region.</summary>
    public void Enqueue(Cid head)
    {
        _changed.Writer.TryWrite(true);
        if (!_runtime.Dht.HasContacts)
            return;
        lock (_gate)
        {
            if (_heads == MaxHeads)
                return;
            _heads++;
        }

        _ = _runtime.RunInBackground(token => ProvideHeadAsync(head, token));
    }

    /// <summary>Announces everything when the first contact is there, and then again and again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_sweeps.Length == 0)
            return;
        await KeepOnAsync(OpenAsync, cancellationToken).ConfigureAwait(false);
        await Task.WhenAll([KeepOnAsync(RunRootsAsync, cancellationToken), KeepOnAsync(RunListAsync, cancellationToken), .. _sweeps.Select(sweep => KeepOnAsync(sweep.RunAsync, cancellationToken))]).ConfigureAwait(false);
    }

    /// <summary>A disk that is full or fails for a while must not end announcing for good.</summary>
    private async Task KeepOnAsync(Func<CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await run(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (P2PException error)
            {
                NodeLog.AnnouncingPaused(_logger, error.Message);
                await Task.Delay(RetryAfter, _runtime.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        foreach (ProvideJournal journal in _journals)
            await journal.OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>After a start roots come first: who restarts looks whether they are found, and others may have forgotten them meanwhile.</summary>
    private async Task RunRootsAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(_runtime.Dht.All.Select(static dht => dht.HasContact)).WaitAsync(cancellationToken).ConfigureAwait(false);
        foreach (Cid root in _runtime.Store.GetPins().Where(AnnouncedBlocks.MayAnnounce).Reverse().Select(static pin => pin.Root).Distinct().Take(MaxRoots))
        {
            await ProvideAsync(root, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
            await Task.Delay(Pause, _runtime.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps the list of what is announced.</summary>
    private async Task RunListAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await _blocks.UpdateAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (DhtSweep sweep in _sweeps)
                    sweep.OnKeysAdded();
            }

            await WaitForChangeAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WaitForChangeAsync(CancellationToken cancellationToken)
    {
        using Deadline deadline = new(UpdateInterval, _runtime.Time, cancellationToken);
        try
        {
            await _changed.Reader.ReadAsync(deadline.Token).ConfigureAwait(false);
            await Task.Delay(GatherFor, _runtime.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            // a look now and then
        }
    }

    private async Task<Announcement> ProvideHeadAsync(Cid head, CancellationToken cancellationToken)
    {
        try
        {
            return await ProvideAsync(head, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                _heads--;
        }
    }

    private async Task<Announcement> ProvideAsync(Cid root, DialPurpose purpose, CancellationToken cancellationToken)
    {
        byte[] key = root.MultihashSpan.ToArray();
        int told = 0, of = 0, networks = 0;
        bool isVerified = false;
        foreach ((int i, DhtNode dht) in _runtime.Dht.All.Index().Where(static one => one.Item.ContactCount > 0))
        {
            ProvideResult result = await dht.ProvideAsync(key, purpose, cancellationToken).ConfigureAwait(false);
            (told, of) = (told + result.Told, of + result.Of);
            if (result.Told > 0)
                networks |= 1 << i;
            if (purpose == DialPurpose.Awaited && result.Told > 0)
                isVerified |= await dht.IsFoundAsync(key, cancellationToken).ConfigureAwait(false);
        }

        if (networks != 0)
            await _blocks.NoteAsync(root, networks, cancellationToken).ConfigureAwait(false);
        NodeLog.Announced(_logger, root, told, of, isVerified);
        return new Announcement(told, of, isVerified);
    }
}
