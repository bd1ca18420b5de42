using System.Collections.Concurrent;
using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>
/// Asks peers whether one of our addresses is reached from outside. A yes is proved by the nonce that comes in; a no is the peer's word. Thread-safe.
/// </summary>
internal sealed class AutoNatClient(ConnectionPool pool, TimeProvider time, ILogger logger)
{
    /// <summary>Questions at once (count).</summary>
    private const int MaxPending = 16;

    private const int MaxStreamsPerPeer = 2;

    /// <summary>For a whole question: a dial of the peer may take ten seconds, and data goes before it on a slow line.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45), DialBackPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<ulong, TaskCompletionSource> _pending = [];

    /// <summary>Whether a peer answers such questions.</summary>
    public static bool IsServer(Connection connection) => connection.Remote?.Protocols.Contains(AutoNatProtocol.DialRequestId) == true;

    /// <summary>Starts to take dials back.</summary>
    public void Start() => pool.Handle(AutoNatProtocol.DialBackId, ReceiveAsync, MaxStreamsPerPeer);

    /// <summary>Has a peer dial one of our addresses.</summary>
    /// <returns>Whether it is reached; null: the peer does not say.</returns>
    public async Task<bool?> AskAsync(Connection connection, Multiaddress address, CancellationToken cancellationToken)
    {
        ulong nonce = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_pending.Count >= MaxPending || !_pending.TryAdd(nonce, arrived))
            return null;
        using var deadline = new Deadline(Patience, time, cancellationToken);
        try
        {
            PeerStream stream = await connection.OpenStreamAsync(AutoNatProtocol.DialRequestId, deadline.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var request = new AutoNatMessage { DialRequest = new() { Nonce = nonce } };
                request.DialRequest.Addrs.Add(ByteString.CopyFrom(address.AsSpan()));
                await AutoNatProtocol.WriteAsync(stream, request, deadline.Token).ConfigureAwait(false);
                AutoNatMessage answer = await AutoNatProtocol.ReadAsync(stream, deadline.Token).ConfigureAwait(false);
                if (answer.DialDataRequest is { } wanted)
                {
                    await SendDataAsync(stream, wanted, deadline.Token).ConfigureAwait(false);
                    answer = await AutoNatProtocol.ReadAsync(stream, deadline.Token).ConfigureAwait(false);
                }

                bool? verdict = answer.DialResponse switch
                {
                    { Status: AutoNatProtocol.Ok, AddrIdx: 0 } when arrived.Task.IsCompleted => true,
                    { Status: AutoNatProtocol.Ok, AddrIdx: 0, DialStatus: AutoNatProtocol.DialError } => false,
                    _ => null, // refused, too often, or it says yes and nothing has come
                };
                NatLog.Judged(logger, connection.RemotePeer, address, verdict switch { true => "reached", false => "not reached", _ => "nothing" });
                return verdict;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException || (error is OperationCanceledException && deadline.IsOver))
        {
            NatLog.NotJudged(logger, connection.RemotePeer, UntrustedText.Clean(error.Message));
            return null;
        }
        finally
        {
            _pending.TryRemove(nonce, out _);
        }
    }

    private static async Task SendDataAsync(PeerStream stream, AutoNatMessage.Types.DialDataRequest wanted, CancellationToken cancellationToken)
    {
        if (wanted.AddrIdx != 0 || wanted.NumBytes > AutoNatProtocol.MostData)
            throw new PeerProtocolException($"asks for {wanted.NumBytes} bytes before it dials");
        var data = ByteString.CopyFrom(new byte[AutoNatProtocol.MaxDataBytes]);
        for (ulong sent = 0; sent < wanted.NumBytes; sent += AutoNatProtocol.MaxDataBytes)
            await AutoNatProtocol.WriteAsync(stream, new AutoNatMessage { DialDataResponse = new() { Data = data } }, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReceiveAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(DialBackPatience, time, cancellationToken);
        byte[]? bytes = await LengthPrefixed.ReadAsync(stream.Input, AutoNatProtocol.MaxDialBackBytes, deadline.Token).ConfigureAwait(false);
        if (bytes is null || !ProtobufMessages.TryParse(AutoNatDialBack.Parser, AutoNatDialBack.Descriptor, bytes, out AutoNatDialBack? dialBack) || !_pending.TryGetValue(dialBack.Nonce, out TaskCompletionSource? pending))
            throw new PeerProtocolException("dials back though nobody asked it to");
        pending.TrySetResult();
        await AutoNatProtocol.WriteAsync(stream, new AutoNatDialBackResponse(), deadline.Token).ConfigureAwait(false);
    }
}
