using System.IO.Pipelines;
using System.Net;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Catalogue;

/// <summary>
/// What this node shares on its local networks, told to whoever asks from there; and what others share, asked of them. Nothing is told while nothing is
/// shared so, and never to anybody beyond a router. Thread-safe.
/// </summary>
/// <param name="pool">The connections.</param>
/// <param name="nodeName">The name that others see.</param>
/// <param name="onLink">The networks that this machine has an interface in.</param>
/// <param name="time">The clock.</param>
internal sealed class LanCatalogue(ConnectionPool pool, string nodeName, Func<IReadOnlyList<IPNetwork>> onLink, TimeProvider time)
{
    private const int MaxStreamsPerPeer = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new(); // guards _items
    private readonly Dictionary<Cid, CatalogueItem> _items = [];

    /// <summary>Tells of an item from now on.</summary>
    /// <returns>Whether it is the first, so that peers have to learn that there is something to ask for.</returns>
    /// <exception cref="P2PException">Quota: so many are told of already as one list may hold.</exception>
    public bool Add(CatalogueItem item)
    {
        lock (_gate)
        {
            if (_items.Count >= CatalogueProtocol.MaxItems && !_items.ContainsKey(item.Root))
                throw new P2PException(P2PErrorCode.Quota, $"On one network at most {CatalogueProtocol.MaxItems} shares are told of. Share several files as one folder.");
            _items[item.Root] = item;
            if (_items.Count > 1)
                return false;
            pool.Unhandle(CatalogueProtocol.Id);
            pool.Handle(CatalogueProtocol.Id, AnswerAsync, MaxStreamsPerPeer);
            return true;
        }
    }

    /// <summary>Tells of an item no more.</summary>
    public bool Remove(in Cid root)
    {
        lock (_gate)
        {
            if (!_items.Remove(root))
                return false;
            if (_items.Count == 0)
                pool.Unhandle(CatalogueProtocol.Id);
            return true;
        }
    }

    /// <summary>Asks a peer of the local network what it shares there; null: nothing, or it does not say.</summary>
    /// <exception cref="IOException">The connection broke, or the peer does not keep to the protocol.</exception>
    public async Task<CatalogueList?> AskAsync(Connection connection, CancellationToken cancellationToken)
    {
        if (!IsNear(connection))
            return null;
        using var deadline = new Deadline(Patience, time, cancellationToken);
        try
        {
            PeerStream stream = await connection.OpenStreamAsync(CatalogueProtocol.Id, deadline.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                LengthPrefixed.Write(stream.Output, []);
                await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false);
                if (await LengthPrefixed.ReadAsync(stream.Input, CatalogueProtocol.MaxMessageBytes, deadline.Token).ConfigureAwait(false) is not { } bytes)
                    return null;
                return CatalogueProtocol.TryDecode(bytes, out CatalogueList? list) ? list : throw new PeerProtocolException("sent a malformed list of what it shares");
            }
        }
        catch (ProtocolNotSupportedException)
        {
            return null; // what it says of itself is not waited for: it may have begun to share since
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            return null;
        }
    }

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(Patience, time, cancellationToken);
        if (!IsNear(stream.Connection) || await LengthPrefixed.ReadAsync(stream.Input, maxBytes: 64, deadline.Token).ConfigureAwait(false) is null)
        {
            stream.Reset();
            return;
        }

        CatalogueList list;
        lock (_gate)
            list = new CatalogueList(nodeName, [.. _items.Values]);
        LengthPrefixed.Write(stream.Output, CatalogueProtocol.Encode(list));
        FlushResult flushed = await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false);
        if (flushed.IsCompleted)
            throw new PeerProtocolException("closed the stream");
    }

    private bool IsNear(Connection connection) => connection.RemoteAddress.TryGetIPAddress(out IPAddress? ip) && OnLinkNetworks.Contains(onLink(), ip);
}
