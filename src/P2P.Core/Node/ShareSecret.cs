using System.Security.Cryptography;
using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Node;

/// <summary>The key of one private share while this node works with it, wiped when disposed. Never part of any text.</summary>
internal sealed class ShareSecret : IDisposable
{
    private readonly byte[] _key = GC.AllocateArray<byte>(BlockSealer.KeyBytes, pinned: true);
    private readonly BlockSealer _sealer;

    private ShareSecret(Action<byte[]> fill)
    {
        fill(_key);
        _sealer = new BlockSealer(_key);
    }

    /// <summary>The key itself, for a link.</summary>
    public ReadOnlySpan<byte> Key => _key;

    /// <summary>A new key.</summary>
    public static ShareSecret New() => new(key => RandomNumberGenerator.Fill(key));

    /// <summary>The key in a link; null when it has none and leads to public content.</summary>
    public static ShareSecret? Of(ShareLink link) => link.HasKey ? new ShareSecret(key => link.Key.CopyTo(key)) : null;

    /// <summary>The key that was wrapped; null when it cannot be unwrapped with this identity.</summary>
    public static ShareSecret? Unwrap(ShareKeyWrap wrap, ReadOnlyMemory<byte> wrapped)
    {
        bool isUnwrapped = false;
        var secret = new ShareSecret(key => isUnwrapped = wrap.TryUnwrap(wrapped.Span, key));
        if (isUnwrapped)
            return secret;
        secret.Dispose();
        return null;
    }

    /// <summary>How content stands in blocks that are sealed with it.</summary>
    /// <param name="buffers">Buffers for blocks.</param>
    /// <param name="storeKey">The store's number of the key; 0 when the store does not know it.</param>
    public PrivateForm ToForm(BlockBufferPool buffers, long storeKey = 0) => new(_sealer, buffers, storeKey);

    /// <summary>The form of what a secret, if there is one, leads to.</summary>
    public static BlockForm FormOf(ShareSecret? secret, BlockBufferPool buffers, long storeKey = 0) => secret?.ToForm(buffers, storeKey) ?? BlockForm.Public;

    /// <inheritdoc/>
    public void Dispose()
    {
        _sealer.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }
}
