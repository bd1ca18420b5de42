using P2P.Core.Transport;

namespace P2P.Core.Tests.SecureChannel;

/// <summary>A connection whose receives give at most so many bytes at once, and whose sent bytes can be changed on the way.</summary>
internal sealed class PiecewiseConnection(ITransportConnection inner, int pieceBytes) : ITransportConnection
{
    public Multiaddress LocalAddress => inner.LocalAddress;

    public Multiaddress RemoteAddress => inner.RemoteAddress;

    /// <summary>Given each sent buffer.</summary>
    public Action<Memory<byte>>? Tamper { get; set; }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReceiveAsync(buffer[..Math.Min(buffer.Length, pieceBytes)], cancellationToken);

    public ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (Tamper is null)
            return inner.SendAsync(buffer, cancellationToken);
        byte[] changed = buffer.ToArray();
        Tamper(changed);
        return inner.SendAsync(changed, cancellationToken);
    }

    public void Abort() => inner.Abort();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
