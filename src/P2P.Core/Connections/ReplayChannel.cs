using P2P.Core.Identity;
using P2P.Core.SecureChannel;

namespace P2P.Core.Connections;

/// <summary>A secure channel whose first bytes were read already, while the muxer was negotiated: gives them out again first.</summary>
internal sealed class ReplayChannel(ISecureChannel inner, byte[] first) : ISecureChannel
{
    private byte[]? _first = first;

    public PeerId RemotePeer => inner.RemotePeer;

    public PublicKey RemoteKey => inner.RemoteKey;

    public string? Muxer => inner.Muxer;

    public Multiaddress LocalAddress => inner.LocalAddress;

    public Multiaddress RemoteAddress => inner.RemoteAddress;

    public int MaxAppendBytes => inner.MaxAppendBytes;

    public int UnflushedBytes => inner.UnflushedBytes;

    public int SendBufferBytes => inner.SendBufferBytes;

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref _first, null) is { } bytes ? ValueTask.FromResult<ReadOnlyMemory<byte>>(bytes) : inner.ReadAsync(cancellationToken);

    public void Append(ReadOnlySpan<byte> plaintext) => inner.Append(plaintext);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public void Abort() => inner.Abort();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
