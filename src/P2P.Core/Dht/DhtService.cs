using System.Runtime.CompilerServices;
using P2P.Core.Connections;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Dht;

/// <summary>Serves the streams on which others ask. Thread-safe; answers are made one at a time.</summary>
internal sealed class DhtService(ConnectionPool pool, DhtMembers members, DhtNodeSettings settings, TimeProvider time, Random random)
{
    /// <summary>Streams that one peer may ask on (count). One is the rule; two more while others close.</summary>
    private const int MaxInboundPerPeer = 4;

    /// <summary>Requests that one connection may send at once, and then each second: a lookup asks each peer once, a provider announces many keys to one.</summary>
    private const int RateBurst = 1000, RatePerSecond = 100;

    /// <summary>How long a stream may be silent.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(60);

    private readonly ConditionalWeakTable<Connection, TokenBucket> _rates = [];
    private readonly Lock _gate = new(); // guards the tables below and each bucket
    private readonly ProviderTable _providers = new(settings.Providers, random);
    private readonly RecordTable _records = new();

    /// <summary>Provider statements kept for others.</summary>
    public int ProviderCount
    {
        get
        {
            lock (_gate)
                return _providers.Count;
        }
    }

    /// <summary>Starts to answer.</summary>
    public void Start() => pool.Handle(settings.Protocol, ServeAsync, MaxInboundPerPeer);

    /// <summary>Drops what is too old.</summary>
    public void Expire()
    {
        lock (_gate)
            _providers.Expire(members.Now);
    }

    /// <summary>Providers that others told us of.</summary>
    public List<Contact> GetProviders(DhtKey key, int max)
    {
        lock (_gate)
            return _providers.Get(key, max, members.Now);
    }

    /// <summary>A record that is stored here.</summary>
    public DhtRecord? GetRecord(ReadOnlySpan<byte> key)
    {
        lock (_gate)
            return _records.Get(key, time.GetUtcNow());
    }

    /// <summary>Stores a record here.</summary>
    public RecordOutcome PutRecord(DhtRecord record)
    {
        lock (_gate)
            return _records.TryPut(record, time.GetUtcNow());
    }

    private async Task ServeAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        DhtCaller caller = DhtCaller.Of(stream.Connection.RemotePeer, stream.Connection.RemoteAddress);
        using Deadline deadline = new(IdleTimeout, time, cancellationToken);
        while (true)
        {
            deadline.Restart();
            byte[]? bytes;
            try
            {
                bytes = await LengthPrefixed.ReadAsync(stream.Input, DhtMessageCodec.MaxMessageBytes, deadline.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (deadline.IsOver)
            {
                return; // asked nothing for a while: closed in good order
            }

            if (bytes is null)
                return;
            await PaceAsync(stream.Connection, deadline.Token).ConfigureAwait(false);
            if (!DhtMessageCodec.TryDecode(bytes, out DhtMessage? request))
                throw new PeerProtocolException("sent a malformed DHT message");
            if (Answer(request, caller) is not { } answer)
                continue;
            LengthPrefixed.Write(stream.Output, DhtMessageCodec.Encode(answer));
            await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false);
        }
    }

    private DhtMessage? Answer(DhtMessage request, DhtCaller caller) => members.With(table =>
    {
        lock (_gate) // always inside the table's
            return new DhtServer(table, _providers, _records).Answer(request, caller, members.Now, time.GetUtcNow());
    });

    /// <summary>Who sends more than its rate is read no faster: what waits is held back by the stream's window, and who announces many keys loses none.</summary>
    private async ValueTask PaceAsync(Connection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_gate)
                wait = _rates.GetValue(connection, _ => new TokenBucket(RateBurst, RatePerSecond, time.TimestampFrequency)).TryTake(time.GetTimestamp());
            if (wait == TimeSpan.Zero)
                return;
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
