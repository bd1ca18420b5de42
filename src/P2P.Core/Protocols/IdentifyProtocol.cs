using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Identity;
using P2P.Core.Transport;

namespace P2P.Core.Protocols;

/// <summary>
/// Tells peers who we are and learns who they are: each side asks the other on every new connection, and tells again (push) when its protocols or
/// addresses change. What is learned goes to the pool, which tells its observers.
/// </summary>
internal sealed class IdentifyProtocol : IConnectionObserver, IAsyncDisposable
{
    public const string Id = "/ipfs/id/1.0.0";
    public const string PushId = "/ipfs/id/push/1.0.0";

    /// <summary>Peers that are told at once (count).</summary>
    private const int PushConcurrency = 32;

    /// <summary>For one identification, in either direction.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Identifications that one connection may ask for or push at once, and then each second: a new connection needs one, each change one more.</summary>
    private const int RateBurst = 16, RatePerSecond = 1;

    private readonly ConnectionPool _pool;
    private readonly IdentityKey _identity;
    private readonly string _agentVersion;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly BackgroundWork _work;
    private readonly ConditionalWeakTable<Connection, TokenBucket> _rates = [];
    private readonly Lock _gate = new(); // guards the field below, and each bucket
    private ulong _sequence;

    /// <summary>Prepares it; nothing happens before <see cref="Start"/>.</summary>
    public IdentifyProtocol(ConnectionPool pool, IdentityKey identity, TimeProvider time, ILoggerFactory loggers, string? agentVersion = null)
    {
        _pool = pool;
        _identity = identity;
        _agentVersion = agentVersion ?? DefaultAgentVersion;
        _time = time;
        _logger = loggers.CreateLogger("P2P.Core.Protocols");
        _work = new BackgroundWork(error => ProtocolsLog.BackgroundFailed(_logger, error));
    }

    /// <summary>The program and its version, as told to peers.</summary>
    public static string DefaultAgentVersion { get; } = "p2p-files/"
        + (typeof(IdentifyProtocol).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    /// <summary>Starts to ask and to answer.</summary>
    public void Start()
    {
        _pool.Handle(Id, AnswerAsync, maxInboundPerPeer: 4);
        _pool.Handle(PushId, ReceivePushAsync, maxInboundPerPeer: 4);
        _pool.Observe(this);
    }

    public void OnConnected(Connection connection) => _work.Run(() => AskAsync(connection));

    public void OnIdentified(Connection connection)
    {
    }

    public void OnDisconnected(Connection connection, string reason)
    {
    }

    /// <summary>Tells all connected peers that take it what we are now: after a protocol or an address has changed.</summary>
    /// <remarks>Peers that do not answer are passed over. Safe to cancel.</remarks>
    public async Task PushAsync(CancellationToken cancellationToken)
    {
        IEnumerable<Connection> peers = _pool.Connections.Where(connection => !connection.IsSuperseded && connection.Remote?.Protocols.Contains(PushId) == true);
        ParallelOptions options = new() { MaxDegreeOfParallelism = PushConcurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(peers, options, async (connection, token) => await PushToAsync(connection, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private async Task AskAsync(Connection connection)
    {
        using Deadline deadline = new(AnswerTimeout, _time, _stop.Token);
        try
        {
            PeerStream stream = await connection.OpenStreamAsync(Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false); // the proposal waits for this: we have nothing to write
            await LearnAsync(connection, stream, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            ProtocolsLog.IdentifyFailed(_logger, connection.RemotePeer, UntrustedText.Clean(error.Message));
        }
    }

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        CheckRate(stream.Connection);
        using Deadline deadline = new(AnswerTimeout, _time, cancellationToken);
        await TellAsync(stream, deadline.Token).ConfigureAwait(false);
    }

    private async Task ReceivePushAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        CheckRate(stream.Connection);
        using Deadline deadline = new(AnswerTimeout, _time, cancellationToken);
        await LearnAsync(stream.Connection, stream, deadline.Token).ConfigureAwait(false);
    }

    private async Task PushToAsync(Connection connection, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(AnswerTimeout, _time, cancellationToken);
        try
        {
            PeerStream stream = await connection.OpenStreamAsync(PushId, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            await TellAsync(stream, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            ProtocolsLog.IdentifyFailed(_logger, connection.RemotePeer, UntrustedText.Clean(error.Message));
        }
    }

    /// <summary>Each identification costs us a signature, made or checked, and everybody who observes it some work; asking for it costs next to nothing.</summary>
    private void CheckRate(Connection connection)
    {
        lock (_gate)
        {
            TokenBucket rate = _rates.GetValue(connection, _ => new TokenBucket(RateBurst, RatePerSecond, _time.TimestampFrequency));
            if (rate.TryTake(_time.GetTimestamp()) > TimeSpan.Zero)
            {
                throw new PeerProtocolException("identifies itself or us too often");
            }
        }
    }

    private async Task TellAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        Connection connection = stream.Connection;
        AddressScope peer = connection.RemoteAddress.Scope;
        OwnInfo own = new()
        {
            Identity = _identity,
            AgentVersion = _agentVersion,
            Protocols = _pool.Protocols,
            ListenAddresses = [.. _pool.OwnAddresses
                .Where(address => AddressPolicy.MayTell(address, peer))
                .Distinct()],
            ObservedAddress = connection.RemoteAddress,
            Sequence = NextSequence(),
        };
        foreach (byte[] message in IdentifyCodec.Encode(own))
        {
            LengthPrefixed.Write(stream.Output, message);
        }

        await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task LearnAsync(Connection connection, PeerStream stream, CancellationToken cancellationToken)
    {
        List<byte[]> messages = [];
        while (await LengthPrefixed.ReadAsync(stream.Input, IdentifyCodec.MaxReceivedMessageBytes, cancellationToken).ConfigureAwait(false) is { } message)
        {
            messages.Add(message);
            if (messages.Count > IdentifyCodec.MaxMessages)
            {
                throw new PeerProtocolException("sent too many identify messages");
            }
        }

        if (messages.Count == 0 || !IdentifyCodec.TryDecode(messages, connection.RemotePeer, out RemoteInfo? info))
        {
            throw new PeerProtocolException("sent an identification that is malformed or of another peer");
        }

        _pool.Addresses.Replace(
            connection.RemotePeer, info.ListenAddresses, info.IsSigned ? AddressSourceKind.Signed : AddressSourceKind.Identified);
        _pool.SetRemote(connection, info);
        ProtocolsLog.Identified(_logger, connection.RemotePeer, UntrustedText.Clean(info.AgentVersion), info.Protocols.Count, info.ListenAddresses.Count);
    }

    /// <summary>Unix nanoseconds, as Go does, and always more than before: a node that starts again must not fall behind what it said last time.</summary>
    private ulong NextSequence()
    {
        ulong now = (ulong)(_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        lock (_gate)
        {
            return _sequence = Math.Max(_sequence + 1, now);
        }
    }
}
