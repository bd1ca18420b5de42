using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Identity;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>
/// Tells peers whether they are reached from outside, by dialing them back from an identity made for that one dial. Only public addresses, only for peers
/// that we see at a public one, and an address other than that only after the peer has sent more than a dial costs its victim. Thread-safe.
/// </summary>
/// <param name="pool">The connections.</param>
/// <param name="transports">The network.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Chance for amounts and pauses.</param>
/// <param name="loggers">The log.</param>
/// <param name="isPublic">What counts as an address of the internet; null: the registries of IANA.</param>
internal sealed class AutoNatServer(
    ConnectionPool pool, IReadOnlyList<ITransport> transports, TimeProvider time, Random random, ILoggerFactory loggers, Func<IPAddress, bool>? isPublic = null)
{
    /// <summary>Requests of one peer at once (count).</summary>
    private const int MaxStreamsPerPeer = 2;

    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(10), DataPatience = TimeSpan.FromSeconds(30), DialPatience = TimeSpan.FromSeconds(10), LongestWait = TimeSpan.FromSeconds(3);

    private readonly AutoNatLimits _limits = new(time);
    private readonly Func<IPAddress, bool> _isPublic = isPublic ?? (static ip => AddressScopes.Of(ip) == AddressScope.Public);
    private readonly ILogger _logger = loggers.CreateLogger("P2P.Core.Nat");
    private readonly Lock _gate = new(); // guards the random generator

    /// <summary>Starts to answer.</summary>
    public void Start() => pool.Handle(AutoNatProtocol.DialRequestId, AnswerAsync, MaxStreamsPerPeer);

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        AutoNatMessage.Types.DialRequest request;
        using (var deadline = new Deadline(RequestPatience, time, cancellationToken))
        {
            request = (await AutoNatProtocol.ReadAsync(stream, deadline.Token).ConfigureAwait(false)).DialRequest ?? throw new PeerProtocolException("sent something else than a request to be dialed");
        }

        AutoNatMessage.Types.DialResponse response = await JudgeAsync(stream, request, cancellationToken).ConfigureAwait(false);
        using var answering = new Deadline(RequestPatience, time, cancellationToken);
        await AutoNatProtocol.WriteAsync(stream, new AutoNatMessage { DialResponse = response }, answering.Token).ConfigureAwait(false);
    }

    private async Task<AutoNatMessage.Types.DialResponse> JudgeAsync(PeerStream stream, AutoNatMessage.Types.DialRequest request, CancellationToken cancellationToken)
    {
        PeerId peer = stream.Connection.RemotePeer;
        if (!_limits.TryTake(peer))
            return new() { Status = AutoNatProtocol.RequestRejected };
        if (!stream.Connection.RemoteAddress.TryGetIPAddress(out IPAddress? seen) || !_isPublic(seen) || !TryChoose(request, out int index, out Multiaddress? address, out IPAddress? ip))
            return new() { Status = AutoNatProtocol.DialRefused };
        if (!ip.Equals(seen))
        {
            if (!_limits.TryTakeWithData())
                return new() { Status = AutoNatProtocol.RequestRejected };
            await TakeDataAsync(stream, index, cancellationToken).ConfigureAwait(false);
            await Task.Delay(LongestWait * Next(), time, cancellationToken).ConfigureAwait(false); // many who ask for one victim do not hit it at once
        }

        uint outcome = await DialBackAsync(peer, address, request.Nonce, cancellationToken).ConfigureAwait(false);
        NatLog.DialedBack(_logger, peer, address, outcome switch { AutoNatProtocol.Ok => "reached", AutoNatProtocol.DialError => "not reached", _ => "reached, but nobody takes the nonce" });
        return new() { Status = AutoNatProtocol.Ok, AddrIdx = (uint)index, DialStatus = outcome };
    }

    private bool TryChoose(AutoNatMessage.Types.DialRequest request, out int index, [NotNullWhen(true)] out Multiaddress? address, [NotNullWhen(true)] out IPAddress? ip)
    {
        (address, ip) = (null, null);
        for (index = 0; index < Math.Min(request.Addrs.Count, AutoNatProtocol.MaxAddresses); index++)
        {
            if (Multiaddress.TryFromBytes(request.Addrs[index].Span, out Multiaddress? named) && named.WithoutPeerId() is { } bare && bare.TryGetEndPoint(out IPEndPoint? end)
                && end.Port != 0 && _isPublic(end.Address) && transports.Any(transport => transport.CanDial(bare)))
            {
                (address, ip) = (bare, end.Address);
                return true;
            }
        }

        return false;
    }

    private async Task TakeDataAsync(PeerStream stream, int index, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(DataPatience, time, cancellationToken);
        int wanted = AutoNatProtocol.LeastData + (int)((AutoNatProtocol.MostData - AutoNatProtocol.LeastData) * Next());
        await AutoNatProtocol.WriteAsync(
            stream, new AutoNatMessage { DialDataRequest = new() { AddrIdx = (uint)index, NumBytes = (ulong)wanted } }, deadline.Token).ConfigureAwait(false);
        for (int got = 0; got < wanted;)
        {
            AutoNatMessage message = await AutoNatProtocol.ReadAsync(stream, deadline.Token).ConfigureAwait(false);
            if (message.DialDataResponse is not { Data.Length: > 0 and <= AutoNatProtocol.MaxDataBytes } part)
                throw new PeerProtocolException("sent something else than the data asked for");
            got += part.Data.Length;
        }
    }

    private async Task<uint> DialBackAsync(PeerId peer, Multiaddress address, ulong nonce, CancellationToken cancellationToken)
    {
        // a pool of its own: nothing that is known of the peer, and no connection that is open, may answer in place of the address
        using IdentityKey identity = IdentityKey.Generate();
        var dialer = new ConnectionPool(identity, transports, new ConnectionOptions { MaxConnections = 8, DialTimeout = DialPatience, OnLink = static () => [] }, time, Fork(), loggers);
        await using (dialer.ConfigureAwait(false))
        {
            using var deadline = new Deadline(2 * DialPatience, time, cancellationToken);
            Connection connection;
            try
            {
                connection = await dialer.ConnectAsync(peer, [address], AddressOrigin.User, deadline.Token).ConfigureAwait(false);
            }
            catch (P2PException)
            {
                return AutoNatProtocol.DialError;
            }
            catch (OperationCanceledException) when (deadline.IsOver)
            {
                return AutoNatProtocol.DialError;
            }

            try
            {
                PeerStream stream = await connection.OpenStreamAsync(AutoNatProtocol.DialBackId, deadline.Token).ConfigureAwait(false);
                await using (stream.ConfigureAwait(false))
                {
                    await AutoNatProtocol.WriteAsync(stream, new AutoNatDialBack { Nonce = nonce }, deadline.Token).ConfigureAwait(false);
                    return await LengthPrefixed.ReadAsync(stream.Input, AutoNatProtocol.MaxDialBackBytes, deadline.Token).ConfigureAwait(false) is null ? AutoNatProtocol.DialBackError : AutoNatProtocol.Ok;
                }
            }
            catch (IOException)
            {
                return AutoNatProtocol.DialBackError;
            }
            catch (OperationCanceledException) when (deadline.IsOver)
            {
                return AutoNatProtocol.DialBackError;
            }
        }
    }

    private double Next()
    {
        lock (_gate)
            return random.NextDouble();
    }

    private Random Fork()
    {
        lock (_gate)
            return new Random(random.Next());
    }
}
