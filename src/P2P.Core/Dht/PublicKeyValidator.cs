using P2P.Core.Identity;

namespace P2P.Core.Dht;

/// <summary>Records <c>/pk/</c>: the public key of a peer, under the multihash that its id is.</summary>
internal sealed class PublicKeyValidator : IRecordValidator
{
    /// <inheritdoc/>
    public bool IsValid(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, DateTimeOffset utcNow) =>
        PublicKey.TryDecode(value, out PublicKey? key, out _) && key.ToPeerId().AsSpan().SequenceEqual(name);

    /// <inheritdoc/>
    public int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => 0; // all valid ones are the same key
}
