using System.Runtime.CompilerServices;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>A connection that keeps to the node's limits: what it sends waits for its turn, and what it receives is left to the system until its own.</summary>
/// <param name="line">The connection itself.</param>
/// <param name="up">What all send together; null: no limit.</param>
/// <param name="down">What all receive together; null: no limit.</param>
internal sealed class LimitedConnection(ITransportConnection line, RateLimit? up, RateLimit? down) : ITransportConnection
{
    private readonly RateTurn? _sending = up is null ? null : new RateTurn(up);
    private readonly RateTurn? _receiving = down is null ? null : new RateTurn(down);

    public Multiaddress LocalAddress => line.LocalAddress;

    public Multiaddress RemoteAddress => line.RemoteAddress;

    public bool IsSendHeldBack => _sending is { IsAwaited: true };

    public bool IsReceiveHeldBack => _receiving is { IsAwaited: true };

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        _receiving is { } turn ? ReceiveInTurnAsync(turn, buffer, cancellationToken) : line.ReceiveAsync(buffer, cancellationToken);

    public ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        _sending is { } turn ? SendInTurnsAsync(turn, buffer, cancellationToken) : line.SendAsync(buffer, cancellationToken);

    public void Abort()
    {
        line.Abort();
        End();
    }

    public ValueTask DisposeAsync()
    {
        End();
        return line.DisposeAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveInTurnAsync(RateTurn turn, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        int count = await line.ReceiveAsync(buffer[..Math.Min(buffer.Length, turn.LeftBytes)], cancellationToken).ConfigureAwait(false);
        if (count > 0)
        {
            turn.Use(count);
        }

        return count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendInTurnsAsync(RateTurn turn, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            ReadOnlyMemory<byte> part = buffer[..Math.Min(buffer.Length, turn.LeftBytes)];
            await line.SendAsync(part, cancellationToken).ConfigureAwait(false);
            turn.Use(part.Length);
            buffer = buffer[part.Length..];
        }
    }

    private void End()
    {
        _sending?.End();
        _receiving?.End();
    }
}
