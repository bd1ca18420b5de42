using System.Net;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Connections;

namespace P2P.Core.Dht;

/// <summary>Owns the routing table: takes peers in that speak the protocol and answer, and drops those that fail. Thread-safe.</summary>
internal sealed class DhtMembers : IConnectionObserver
{
    /// <summary>Addresses kept of one contact (count).</summary>
    private const int MaxAddresses = 16;

    /// <summary>With so many contacts nobody new comes in who was not asked first (count).</summary>
    private const int CheckedFrom = RoutingTableSettings.K;

    private readonly string _protocol;
    private readonly ConnectionPool _pool;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _started;
    private readonly Lock _gate = new(); // guards the table
    private readonly RoutingTable _table;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DhtMembers(ConnectionPool pool, DhtNodeSettings settings, TimeProvider time, ILogger logger)
    {
        (_pool, _protocol, _time, _logger, _started) = (pool, settings.Protocol, time, logger, time.GetTimestamp());
        _table = new RoutingTable(DhtKey.Of(pool.Self), settings.Table);
    }

    /// <summary>Told of a peer that says it takes part and has to answer before it comes in. Set before anything is observed.</summary>
    public Action<Contact>? OnNewcomer { get; set; }

    /// <summary>Time since the start.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>Our own place.</summary>
    public DhtKey Own => _table.Own;

    /// <summary>Contacts in the table.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _table.Count;
        }
    }

    /// <summary>Ends when there is a contact for the first time.</summary>
    public Task First => _first.Task;

    /// <summary>Does something with the table while nobody else does. Must not take long.</summary>
    public T With<T>(Func<RoutingTable, T> use)
    {
        lock (_gate)
            return use(_table);
    }

    /// <summary>The contacts nearest to a point; says that this part of the keyspace was used.</summary>
    public Contact[] Closest(DhtKey target, int count)
    {
        lock (_gate)
        {
            _table.Bucket(_table.BucketOf(target)).LastUsed = Now;
            return _table.Closest(target, count);
        }
    }

    /// <summary>All contacts.</summary>
    public List<Contact> All()
    {
        lock (_gate)
            return [.. _table.All];
    }

    /// <summary>A peer has answered on this protocol: it is taken in, if we could reach it ourselves.</summary>
    public void OnAnswer(Contact contact)
    {
        if (_pool.TryGet(contact.Peer, out Connection? connection) && Describe(connection) is { } described)
            Offer(described, connection);
        else
            With(table => { table.Seen(contact.Key, Now); return 0; });
    }

    /// <summary>A peer failed or no longer takes part.</summary>
    /// <returns>One that may take its place when it answers; null: there is none.</returns>
    public Contact? OnFailure(in DhtKey key, PeerId peer, string reason)
    {
        DhtKey gone = key;
        (bool wasThere, Contact? candidate) = With(table => (table.Remove(gone, out Contact? next), next));
        if (wasThere)
            DhtLog.Left(_logger, peer, reason);
        return candidate;
    }

    public void OnConnected(Connection connection)
    {
    }

    public void OnIdentified(Connection connection)
    {
        if (connection.Remote?.Protocols.Contains(_protocol) == true)
        {
            if (Describe(connection) is not { } contact)
                return;
            if (OnNewcomer is { } ask && With(table => table.Count >= CheckedFrom && !table.Contains(contact.Key)))
                ask(contact);
            else
                Offer(contact, connection);
        }
        else
        {
            OnFailure(DhtKey.Of(connection.RemotePeer), connection.RemotePeer, "it does not take part");
        }
    }

    public void OnDisconnected(Connection connection, string reason)
    {
        // a contact stays while it can be dialed again
    }

    private void Offer(Contact contact, Connection connection)
    {
        DhtCaller caller = DhtCaller.Of(contact.Peer, connection.RemoteAddress);
        AdmitResult outcome;
        int count;
        lock (_gate)
        {
            outcome = _table.Admit(contact, caller.Group, Now);
            count = _table.Count;
        }

        if (outcome == AdmitResult.Renewed)
            return;
        DhtLog.Offered(_logger, contact.Peer, outcome, count);
        if (outcome == AdmitResult.Added)
            _first.TrySetResult();
    }

    /// <summary>
    /// A peer with the addresses at which others may reach it: those that it tells and that mean something where it is seen, and the one that we reached
    /// it at. Null when there is none: a peer behind a router that came to us can be asked, but not found by others.
    /// </summary>
    private static Contact? Describe(Connection connection)
    {
        AddressScope scope = connection.RemoteAddress.Scope;
        List<Multiaddress> addresses = [];
        if (connection.IsOutbound)
            addresses.Add(connection.RemoteAddress.WithoutPeerId());
        foreach (Multiaddress told in connection.Remote?.ListenAddresses ?? [])
        {
            Multiaddress address = told.WithoutPeerId();
            if (addresses.Count < MaxAddresses && AddressPolicy.MayTell(address, scope) && !addresses.Contains(address)
                && (!address.TryGetIPAddress(out IPAddress? ip) || !IPAddress.Any.Equals(ip)))
                addresses.Add(address);
        }

        return addresses.Count == 0 ? null : new Contact(connection.RemotePeer, addresses);
    }
}
