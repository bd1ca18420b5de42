using P2P.Core.Transport;

namespace P2P.Core.Dht;

/// <summary>Answers requests from what this node knows: the closest contacts, providers, records. Owns no I/O; whoever calls it serializes the calls.</summary>
internal sealed class DhtServer(RoutingTable table, ProviderTable providers, RecordTable records)
{
    /// <summary>The longest key that can have providers (bytes).</summary>
    public const int MaxProviderKeyBytes = 80;

    /// <summary>The longest key of any kind (bytes).</summary>
    public const int MaxKeyBytes = 512;

    /// <summary>Providers told in one answer (count). With 8 KiB each at the most it fits into a message many times.</summary>
    private const int MaxProvidersTold = 100;

    /// <summary>Answers one request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">Who sent it.</param>
    /// <param name="now">Time since the start.</param>
    /// <param name="utcNow">The date.</param>
    /// <returns>The answer; null: this request has none.</returns>
    /// <exception cref="PeerProtocolException">The request is not sound; its stream is to be reset, as there is no message for errors.</exception>
    public DhtMessage? Answer(DhtMessage request, in DhtCaller caller, TimeSpan now, DateTimeOffset utcNow)
    {
        if (request.Key.Length > MaxKeyBytes)
            throw new PeerProtocolException("sent a DHT request with an overlong key");
        return request.Type switch
        {
            DhtMessageType.FindNode => new DhtMessage { Type = DhtMessageType.FindNode, CloserPeers = ClosestToPeer(request.Key.Span, caller) },
            DhtMessageType.GetProviders => GetProviders(request, caller, now),
            DhtMessageType.AddProvider => AddProvider(request, caller, now),
            DhtMessageType.GetValue => GetValue(request, caller, utcNow),
            DhtMessageType.PutValue => PutValue(request, utcNow),
            _ => request with { CloserPeers = [], ProviderPeers = [] },
        };
    }

    private DhtMessage GetProviders(DhtMessage request, in DhtCaller caller, TimeSpan now)
    {
        CheckProviderKey(request.Key);
        DhtKey key = DhtKey.Of(request.Key.Span);
        List<Contact> told = [];
        foreach (Contact provider in providers.Get(key, MaxProvidersTold, now))
        {
            // without addresses it is worth telling: who asks can look the peer up
            told.Add(AddressSight.Narrow(provider, caller.Scope) ?? new Contact(provider.Peer, []));
        }

        return new DhtMessage { Type = DhtMessageType.GetProviders, Key = request.Key, ProviderPeers = told, CloserPeers = Closest(key, caller) };
    }

    private DhtMessage? AddProvider(DhtMessage request, in DhtCaller caller, TimeSpan now)
    {
        CheckProviderKey(request.Key);
        DhtKey key = DhtKey.Of(request.Key.Span);
        foreach (Contact provider in request.ProviderPeers)
        {
            // only for itself, and only when it says where it is
            if (provider.Peer == caller.Peer && provider.Addresses.Count > 0)
                providers.Add(key, AddressSight.Narrow(provider, caller.Scope) ?? new Contact(provider.Peer, []), caller, now);
        }

        return null;
    }

    private DhtMessage GetValue(DhtMessage request, in DhtCaller caller, DateTimeOffset utcNow)
    {
        if (request.Key.IsEmpty)
            throw new PeerProtocolException("asked for a record without a key");
        return new DhtMessage
        {
            Type = DhtMessageType.GetValue,
            Key = request.Key,
            Record = records.Get(request.Key.Span, utcNow),
            CloserPeers = Closest(DhtKey.Of(request.Key.Span), caller),
        };
    }

    private DhtMessage PutValue(DhtMessage request, DateTimeOffset utcNow)
    {
        if (request.Record is not { } record || !record.Key.Span.SequenceEqual(request.Key.Span))
            throw new PeerProtocolException("put a record under another key than its own");
        return records.TryPut(record, utcNow) switch
        {
            RecordOutcome.Stored => request with { CloserPeers = [], ProviderPeers = [] },
            RecordOutcome.Worse => throw new PeerProtocolException("put a record that is not better than the one stored"),
            _ => throw new PeerProtocolException("put a record that is not valid"),
        };
    }

    /// <summary>The closest contacts; first the peer itself when it is known by this very name.</summary>
    private List<Contact> ClosestToPeer(ReadOnlySpan<byte> key, in DhtCaller caller)
    {
        if (key.IsEmpty)
            throw new PeerProtocolException("asked for the closest peers to nothing");
        return Closest(DhtKey.Of(key), caller);
    }

    private List<Contact> Closest(DhtKey key, in DhtCaller caller)
    {
        List<Contact> told = new(RoutingTableSettings.K);
        foreach (Contact contact in table.Closest(key, 2 * RoutingTableSettings.K))
        {
            if (told.Count == RoutingTableSettings.K)
                break;
            if (contact.Peer != caller.Peer && AddressSight.Narrow(contact, caller.Scope) is { } visible)
                told.Add(visible);
        }

        return told;
    }

    private static void CheckProviderKey(ReadOnlyMemory<byte> key)
    {
        if (key.Length is 0 or > MaxProviderKeyBytes)
            throw new PeerProtocolException("sent a DHT request about content with no key or an overlong one");
    }
}
