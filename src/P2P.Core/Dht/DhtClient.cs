using System.Runtime.CompilerServices;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Dht;

/// <summary>Sends requests: connects when need be, and keeps one stream for each peer for the next ones. Thread-safe.</summary>
internal sealed class DhtClient(ConnectionPool pool, string protocol, TimeSpan timeout, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long a stream is kept for the next request; the other side resets it after 60 s.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(30);

    /// <summary>So many streams in a row that broke on their second request, and a peer gets a new one for each.</summary>
    private const int MaxBreaks = 3;

    /// <summary>So many statements go out together (count), some 16 KiB: a peer that takes a hundred a second has them within the time-out.</summary>
    private const int StatementsPerFlush = 128;

    private readonly ConditionalWeakTable<Connection, Line> _lines = [];

    /// <summary>Asks a peer.</summary>
    /// <param name="contact">Whom; dialed at its addresses, as a hint, when it is not connected.</param>
    /// <param name="request">What.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">It gave no sound answer in time.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task<DhtMessage> AskAsync(Contact contact, DhtMessage request, DialPurpose purpose, CancellationToken cancellationToken)
    {
        DhtMessage? answer = await SendAsync(contact, request, hasAnswer: true, purpose, cancellationToken).ConfigureAwait(false);
        return answer!.Type == request.Type ? answer : throw new PeerProtocolException("answered another request of the DHT than it was sent");
    }

    /// <summary>Tells a peer something that is not answered.</summary>
    /// <inheritdoc cref="AskAsync"/>
    public Task TellAsync(Contact contact, DhtMessage request, DialPurpose purpose, CancellationToken cancellationToken) =>
        SendAsync(contact, request, hasAnswer: false, purpose, cancellationToken);

    /// <summary>Tells a peer many things that are not answered, on a stream of their own: it may read them slowly, and other requests do not wait behind them.</summary>
    /// <param name="contact">Whom.</param>
    /// <param name="statements">What; made one at a time.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">It stopped reading.</exception>
    /// <exception cref="P2PException">It cannot be reached.</exception>
    public async Task TellAllAsync(Contact contact, IEnumerable<DhtMessage> statements, DialPurpose purpose, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(timeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(contact, purpose, deadline.Token).ConfigureAwait(false);
            PeerStream stream = await connection.OpenStreamAsync(protocol, deadline.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                int waiting = 0;
                foreach (DhtMessage statement in statements)
                {
                    LengthPrefixed.Write(stream.Output, Encode(statement, connection));
                    if (++waiting < StatementsPerFlush)
                        continue;
                    waiting = 0;
                    await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false);
                    deadline.Restart(); // it reads on
                }

                await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"read nothing of what it was told for {timeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Closes streams that were not used for a while.</summary>
    public async Task CloseIdleAsync()
    {
        foreach ((_, Line line) in _lines.ToList())
        {
            if (time.GetElapsedTime(line.LastUsed) < KeptFor || !line.Gate.Wait(0, CancellationToken.None))
                continue;
            try
            {
                await line.CloseAsync().ConfigureAwait(false);
            }
            finally
            {
                line.Gate.Release();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, Line line) in _lines.ToList())
            line.Stream?.Reset();
        _lines.Clear();
        await Task.CompletedTask.ConfigureAwait(false);
    }

    /// <summary>Writes a request. Where we are is told to each peer as far as it is of use there.</summary>
    private static byte[] Encode(DhtMessage request, Connection connection)
    {
        AddressScope scope = connection.RemoteAddress.Scope;
        return DhtMessageCodec.Encode(request.Type != DhtMessageType.AddProvider ? request : request with
        {
            ProviderPeers = [.. request.ProviderPeers.Select(self => AddressSight.Narrow(self, scope) ?? new Contact(self.Peer, []))],
        });
    }

    private async ValueTask<Connection> ConnectAsync(Contact contact, DialPurpose purpose, CancellationToken cancellationToken) =>
        pool.TryGet(contact.Peer, out Connection? connection)
            ? connection
            : await pool.ConnectAsync(contact.Peer, contact.Addresses, AddressOrigin.Peer, purpose, cancellationToken).ConfigureAwait(false);

    private async Task<DhtMessage?> SendAsync(Contact contact, DhtMessage request, bool hasAnswer, DialPurpose purpose, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(timeout, time, cancellationToken);
        try
        {
            Connection connection = await ConnectAsync(contact, purpose, deadline.Token).ConfigureAwait(false);
            Line line = _lines.GetValue(connection, static _ => new Line());
            await line.Gate.WaitAsync(deadline.Token).ConfigureAwait(false);
            try
            {
                return await SendAsync(connection, line, Encode(request, connection), hasAnswer, deadline.Token).ConfigureAwait(false);
            }
            finally
            {
                line.LastUsed = time.GetTimestamp();
                line.Gate.Release();
            }
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not answer a request of the DHT within {timeout.TotalSeconds:0} s");
        }
    }

    private async Task<DhtMessage?> SendAsync(Connection connection, Line line, byte[] request, bool hasAnswer, CancellationToken cancellationToken)
    {
        while (true)
        {
            bool isReused = line.Stream is not null;
            line.Stream ??= await connection.OpenStreamAsync(protocol, cancellationToken).ConfigureAwait(false);
            try
            {
                LengthPrefixed.Write(line.Stream.Output, request);
                await line.Stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
                DhtMessage? answer = null;
                if (hasAnswer)
                {
                    byte[] bytes = await LengthPrefixed.ReadAsync(line.Stream.Input, DhtMessageCodec.MaxMessageBytes, cancellationToken).ConfigureAwait(false)
                        ?? throw new PeerProtocolException("ended the stream instead of answering");
                    if (!DhtMessageCodec.TryDecode(bytes, out answer))
                        throw new PeerProtocolException("sent a malformed DHT message");
                }

                if (isReused)
                    line.Breaks = 0;
                else if (line.Breaks >= MaxBreaks)
                    await line.CloseAsync().ConfigureAwait(false);
                return answer;
            }
            catch (IOException) when (isReused && !cancellationToken.IsCancellationRequested)
            {
                // the peer may have closed it meanwhile, or takes one request a stream: once more on a new one
                line.Breaks++;
                await line.AbandonAsync().ConfigureAwait(false);
            }
            catch
            {
                await line.AbandonAsync().ConfigureAwait(false); // an answer that comes late must not be taken for that of the next request
                throw;
            }
        }
    }

    /// <summary>What is kept for one connection. The gate lets one request through at a time and guards the rest.</summary>
    private sealed class Line
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public PeerStream? Stream { get; set; }

        public int Breaks { get; set; }

        public long LastUsed { get; set; }

        public async Task CloseAsync()
        {
            if (Stream is { } stream)
            {
                Stream = null;
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }

        public async Task AbandonAsync()
        {
            Stream?.Reset();
            await CloseAsync().ConfigureAwait(false);
        }
    }
}
