using P2P.Core.SecureChannel;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>An authenticated connection whose muxer is agreed.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Received">Plaintext that was read beyond the muxer's negotiation; the muxer's first bytes.</param>
internal readonly record struct UpgradedConnection(ISecureChannel Channel, ReadOnlyMemory<byte> Received);

/// <summary>Turns a raw connection into an authenticated one whose muxer is agreed. All steps share one deadline; a failure closes the connection.</summary>
internal sealed class ConnectionUpgrader(NoiseUpgrade noise, ConnectionOptions options, TimeProvider time)
{
    /// <summary>The only muxer spoken.</summary>
    public const string MuxerId = "/yamux/1.0.0";

    private static readonly string[] Muxers = [MuxerId];
    private static readonly byte[] Proposal = MultistreamCodec.Encode(MultistreamCodec.Header, NoiseUpgrade.ProtocolId);

    /// <summary>Upgrades a connection that we dialed.</summary>
    /// <exception cref="PeerProtocolException">The other side is not the peer expected, broke the protocol, or took too long.</exception>
    public Task<UpgradedConnection> DialAsync(ITransportConnection connection, PeerId expected, CancellationToken cancellationToken) =>
        GuardAsync(connection, token => DialStepsAsync(connection, expected, token), cancellationToken);

    /// <summary>Upgrades a connection that came in.</summary>
    /// <param name="connection">The raw connection; disposed when this fails.</param>
    /// <param name="onProgress">Called at each step that the other side completes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="PeerProtocolException">The other side broke the protocol or took too long.</exception>
    public Task<UpgradedConnection> AcceptAsync(ITransportConnection connection, Action onProgress, CancellationToken cancellationToken) =>
        GuardAsync(connection, token => AcceptStepsAsync(connection, onProgress, token), cancellationToken);

    private async Task<UpgradedConnection> DialStepsAsync(ITransportConnection connection, PeerId expected, CancellationToken cancellationToken)
    {
        // lazy: our proposal travels with the first handshake message, the answer with the second, which saves a round trip
        NoiseChannel channel = await noise
            .SecureAsync(connection, isInitiator: true, expected, Muxers, alreadyReceived: default, sendBefore: Proposal, expectBefore: Proposal, cancellationToken)
            .ConfigureAwait(false);
        return await AgreeOnMuxerAsync(channel, () => MultistreamNegotiation.Dial(Muxers), cancellationToken).ConfigureAwait(false);
    }

    private async Task<UpgradedConnection> AcceptStepsAsync(ITransportConnection connection, Action onProgress, CancellationToken cancellationToken)
    {
        MultistreamNegotiation security = MultistreamNegotiation.Listen(protocol => protocol == NoiseUpgrade.ProtocolId);
        (ReadOnlyMemory<byte> received, ReadOnlyMemory<byte> unsent) =
            await MultistreamSelect.ListenAsync(security, connection, onProgress, cancellationToken).ConfigureAwait(false);
        onProgress();
        await Task.Yield(); // the accepting loop is not held up by the handshake's arithmetic
        NoiseChannel channel = await noise
            .SecureAsync(connection, isInitiator: false, null, Muxers, received, sendBefore: unsent, expectBefore: default, cancellationToken)
            .ConfigureAwait(false);
        onProgress();
        return await AgreeOnMuxerAsync(channel, () => MultistreamNegotiation.Listen(protocol => protocol == MuxerId), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<UpgradedConnection> AgreeOnMuxerAsync(NoiseChannel channel, Func<MultistreamNegotiation> negotiate, CancellationToken cancellationToken)
    {
        if (channel.Muxer is not null)
        {
            return new UpgradedConnection(channel, default);
        }

        try
        {
            return new UpgradedConnection(channel, await MultistreamSelect.RunAsync(negotiate(), channel, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<UpgradedConnection> GuardAsync(
        ITransportConnection connection, Func<CancellationToken, Task<UpgradedConnection>> upgrade, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(options.HandshakeTimeout, time, cancellationToken);
        try
        {
            return await upgrade(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            connection.Abort();
            await connection.DisposeAsync().ConfigureAwait(false);
            if (deadline.IsOver && error is OperationCanceledException or IOException)
            {
                throw new PeerProtocolException($"the handshake took longer than {options.HandshakeTimeout.TotalSeconds:0.#} s", error);
            }

            throw;
        }
    }
}
