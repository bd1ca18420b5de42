using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2P.Core.Blocks;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Store;

namespace P2P.Core.Exchange;

/// <summary>Bitswap 1.2.0 on the node's connections: serves what the store may give away and runs sessions that fetch.</summary>
internal sealed class Bitswap : IAsyncDisposable
{
    private readonly BitswapServer _server;
    private readonly BitswapClient _client;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;

    /// <summary>Registers the protocol with the pool and begins to answer.</summary>
    public Bitswap(
        ConnectionPool pool, BlockStore store, BlockBufferPool buffers, ExchangeSettings settings, TimeProvider time, Random random, ILoggerFactory loggers, P2PMetrics? metrics = null)
        : this(new ConnectionPoolNetwork(pool), new StoreBlocks(store, settings.Denied), buffers, settings, time, random, loggers, metrics)
    {
        ((ConnectionPoolNetwork)_client.Network).Attach(this, settings.MaxInboundStreamsPerPeer);
    }

    /// <summary>On any network and any blocks; the caller passes on streams and what becomes of connections.</summary>
    internal Bitswap(
        IExchangeNetwork network, IExchangeBlocks blocks, BlockBufferPool buffers, ExchangeSettings settings, TimeProvider time, Random random, ILoggerFactory loggers, P2PMetrics? metrics = null)
    {
        (_time, _random, _logger) = (time, random, loggers.CreateLogger<Bitswap>());
        _server = new BitswapServer(network, blocks, buffers, settings, time, _logger, metrics);
        _client = new BitswapClient(network, blocks, buffers, settings, time, _logger, metrics);
    }

    /// <summary>Bytes of blocks sent to others since start.</summary>
    public long BytesServed => _server.Sent.Total;

    /// <summary>Bytes of verified blocks received since start.</summary>
    public long BytesFetched => _client.Received.Total;

    /// <summary>Peers whose wants are kept (count).</summary>
    public int AskingPeers => _server.PeerCount;

    /// <summary>Bytes of blocks sent, by peer: the last 1,024 peers.</summary>
    public IReadOnlyDictionary<PeerId, long> BytesServedByPeer => _server.Sent.Snapshot();

    /// <summary>Bytes of blocks sent to a peer since start.</summary>
    public long BytesServedTo(PeerId peer) => _server.Sent.Of(peer);

    /// <summary>Bytes of verified blocks received from a peer since start.</summary>
    public long BytesFetchedFrom(PeerId peer) => _client.Received.Of(peer);

    /// <summary>Begins a session. The caller disposes it.</summary>
    /// <param name="root">What it is about.</param>
    /// <param name="source">Finds and reconnects providers; null: only what <see cref="BitswapSession.AddProvider"/> adds.</param>
    /// <param name="askStore">Whether blocks that the store has are taken from there before anybody is asked.</param>
    public BitswapSession OpenSession(Cid root, IProviderSource? source, bool askStore) => new(_client, root, source, askStore, _time, _random, _logger);

    /// <summary>Tells that a block is here now and may be served: peers that asked for it earlier get it. Cheap when nobody did.</summary>
    public void OnBlockAvailable(in Cid cid) => _server.OnBlockAvailable(cid.Key);

    /// <summary>Ends all streams and sessions.</summary>
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
    }

    internal void OnConnected(PeerId peer) => _client.OnConnected(peer);

    internal void OnIdentified(PeerId peer) => _client.OnIdentified(peer);

    internal void OnDisconnected(PeerId peer)
    {
        _client.OnDisconnected(peer);
        _server.OnDisconnected(peer);
    }

    /// <summary>Reads a stream that a peer opened, until it ends. Only copies: what takes time waits for the workers, and the peer with it.</summary>
    internal async Task ReceiveAsync(IExchangeStream stream, CancellationToken cancellationToken)
    {
        PeerId peer = stream.Peer;
        InboundPeer inbound = _client.OnStreamOpened(stream);
        using var reader = new BitswapReader();
        int assembling = 0, wants = 0;
        string? fault = null;
        using Deadline silence = new(BitswapProtocol.SilenceLimit, _time, cancellationToken);
        silence.Pause(); // only waiting for the peer counts, not what its blocks wait for here
        try
        {
            while (true)
            {
                if (!stream.Input.TryRead(out ReadResult read))
                {
                    silence.Restart();
                    read = await stream.Input.ReadAsync(silence.Token).ConfigureAwait(false);
                    silence.Pause();
                }

                ReadOnlySequence<byte> rest = read.Buffer;
                long acceptedBefore = reader.AcceptedBytes;
                OperationStatus status = OperationStatus.Done;
                while (fault is null && (status = reader.TryRead(ref rest, out BitswapPart part)) == OperationStatus.Done)
                {
                    switch (part.Kind)
                    {
                        case BitswapPartKind.Want when ++wants > BitswapProtocol.MaxWantlistEntries:
                            fault = $"a wantlist of more than {BitswapProtocol.MaxWantlistEntries} entries";
                            break;
                        case BitswapPartKind.BlockStart:
                            // a block whose data comes in two pieces is begun twice: only the last piece counts
                            _client.OnAssembled(inbound, assembling);
                            BlockBuffer? buffer = _client.TryAccept(peer, inbound, part.Length);
                            assembling = buffer is null ? 0 : part.Length;
                            reader.Accept(buffer);
                            break;
                        case BitswapPartKind.Block:
                            _client.OnAssembled(inbound, assembling);
                            assembling = 0;
                            await VerifyAsync(peer, part, cancellationToken).ConfigureAwait(false);
                            break;
                        default:
                            if (part.Kind == BitswapPartKind.WantlistEnd)
                                wants = 0;
                            OnPart(peer, part);
                            break;
                    }
                }

                if (reader.AcceptedBytes > acceptedBefore)
                    _client.OnBytes(peer, reader.AcceptedBytes - acceptedBefore);
                stream.Input.AdvanceTo(rest.Start, rest.End);
                if (status == OperationStatus.InvalidData)
                    fault ??= "a malformed or oversize message";
                if (fault is not null)
                {
                    ExchangeLog.BadMessage(_logger, peer, fault);
                    stream.Reset();
                    stream.CloseConnection($"it broke bitswap: {fault}");
                    return;
                }

                if (read.IsCompleted)
                {
                    if (!reader.IsBetweenMessages)
                        ExchangeLog.BadMessage(_logger, peer, "the stream ended inside a message");
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (silence.IsOver)
        {
            ExchangeLog.InboundEnded(_logger, peer, $"silent for {BitswapProtocol.SilenceLimit.TotalSeconds:0} s");
            stream.Reset();
        }
        catch (Exception error) when (error is IOException or ChannelClosedException)
        {
            ExchangeLog.InboundEnded(_logger, peer, error.Message);
        }
        finally
        {
            _client.OnAssembled(inbound, assembling);
            _client.OnStreamClosed(stream, inbound);
        }
    }

    private async ValueTask VerifyAsync(PeerId peer, BitswapPart part, CancellationToken cancellationToken)
    {
        try
        {
            await _client.VerifyAsync(peer, part, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            part.Buffer!.Dispose();
            throw;
        }
    }

    private void OnPart(PeerId peer, in BitswapPart part)
    {
        switch (part.Kind)
        {
            case BitswapPartKind.Want:
                _server.OnWant(peer, part.Want);
                break;
            case BitswapPartKind.WantlistEnd:
                _server.OnWantlistEnd(peer, part.Flag);
                break;
            case BitswapPartKind.Presence:
                _client.OnPresence(peer, part.Cid, part.Flag);
                break;
        }
    }
}
