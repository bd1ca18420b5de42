using System.Diagnostics.Metrics;

namespace P2P.Core.Diagnostics;

/// <summary>
/// The instruments of one node. Durations in seconds, sizes in bytes; tags come from enumerations, never from a peer,
/// so that nobody outside can make time series here.
/// </summary>
internal sealed class P2PMetrics : IDisposable
{
    private const string DirectionTag = "direction";
    private const string OutcomeTag = "outcome";

    // boxed once: a tag's value is an object
    private static readonly object Inbound = "inbound";
    private static readonly object Outbound = "outbound";
    private static readonly object[] DialOutcomes = NamesOf<DialOutcome>();
    private static readonly object[] FetchOutcomes = NamesOf<FetchOutcome>();
    private static readonly object[] BlockOutcomes = NamesOf<ReceivedBlockOutcome>();

    private readonly Meter? _ownMeter;
    private readonly Counter<long> _bytesReceived;
    private readonly Counter<long> _bytesSent;
    private readonly Counter<long> _blocksReceived;
    private readonly Counter<long> _blocksServed;
    private readonly Counter<long> _bytesImported;
    private readonly UpDownCounter<long> _connections;
    private readonly UpDownCounter<long> _fetches;
    private readonly Histogram<double> _dials;
    private readonly Histogram<double> _fetchDurations;

    /// <param name="meters">The application's factory, which owns the meter; null for a meter of our own.</param>
    public P2PMetrics(IMeterFactory? meters)
    {
        // a factory's meters live as long as the factory
        _ownMeter = meters is null ? new Meter(P2PDiagnostics.MeterName) : null;
        Meter meter = _ownMeter ?? meters!.Create(P2PDiagnostics.MeterName);
        _bytesReceived = meter.CreateCounter<long>("p2p.network.received", "By", "Bytes received from peers, protocols included, encryption excluded.");
        _bytesSent = meter.CreateCounter<long>("p2p.network.sent", "By", "Bytes sent to peers, protocols included, encryption excluded.");
        _blocksReceived = meter.CreateCounter<long>("p2p.blocks.received", "{block}", "Blocks received, by what became of them.");
        _blocksServed = meter.CreateCounter<long>("p2p.blocks.served", "{block}", "Blocks sent to peers who asked for them.");
        _bytesImported = meter.CreateCounter<long>("p2p.import.bytes", "By", "Bytes of files read and hashed to be shared.");
        _connections = meter.CreateUpDownCounter<long>("p2p.connections", "{connection}", "Open connections.");
        _fetches = meter.CreateUpDownCounter<long>("p2p.fetches", "{fetch}", "Fetches under way.");
        _dials = meter.CreateHistogram<double>("p2p.dial.duration", "s", "Dials from the first packet to the end of the handshake, by outcome.");
        _fetchDurations = meter.CreateHistogram<double>("p2p.fetch.duration", "s", "Fetches from the call to the flushed result, by outcome.");
    }

    /// <summary>Bytes came in.</summary>
    public void Received(long bytes) => _bytesReceived.Add(bytes);

    /// <summary>Bytes went out.</summary>
    public void Sent(long bytes) => _bytesSent.Add(bytes);

    /// <summary>Blocks were sent to a peer who asked.</summary>
    public void BlocksServed(int count) => _blocksServed.Add(count);

    /// <summary>A block came in.</summary>
    public void BlockReceived(ReceivedBlockOutcome outcome) => _blocksReceived.Add(1, Tag(OutcomeTag, BlockOutcomes[(int)outcome]));

    /// <summary>Bytes of a shared file were hashed.</summary>
    public void Imported(long bytes) => _bytesImported.Add(bytes);

    /// <summary>A connection is open.</summary>
    /// <returns>Whether it was counted; <see cref="ConnectionClosed"/> wants to know, because a listener that comes in between must not see less than zero.</returns>
    public bool ConnectionOpened(bool isOutbound)
    {
        bool counted = _connections.Enabled;
        if (counted)
        {
            _connections.Add(1, Direction(isOutbound));
        }

        return counted;
    }

    /// <summary>A connection is closed.</summary>
    public void ConnectionClosed(bool isOutbound, bool counted)
    {
        if (counted)
        {
            _connections.Add(-1, Direction(isOutbound));
        }
    }

    /// <summary>A dial ended.</summary>
    public void Dialed(DialOutcome outcome, TimeSpan elapsed) => _dials.Record(elapsed.TotalSeconds, Tag(OutcomeTag, DialOutcomes[(int)outcome]));

    /// <summary>A fetch began.</summary>
    /// <returns>Whether it was counted, for <see cref="FetchEnded"/>.</returns>
    public bool FetchStarted()
    {
        bool counted = _fetches.Enabled;
        if (counted)
        {
            _fetches.Add(1);
        }

        return counted;
    }

    /// <summary>A fetch ended.</summary>
    public void FetchEnded(FetchOutcome outcome, TimeSpan elapsed, bool counted)
    {
        if (counted)
        {
            _fetches.Add(-1);
        }

        _fetchDurations.Record(elapsed.TotalSeconds, Tag(OutcomeTag, FetchOutcomes[(int)outcome]));
    }

    /// <inheritdoc />
    public void Dispose() => _ownMeter?.Dispose();

    private static object[] NamesOf<T>()
        where T : struct, Enum => [.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())];

    private static KeyValuePair<string, object?> Direction(bool isOutbound) => Tag(DirectionTag, isOutbound ? Outbound : Inbound);

    private static KeyValuePair<string, object?> Tag(string key, object value) => new(key, value);
}
