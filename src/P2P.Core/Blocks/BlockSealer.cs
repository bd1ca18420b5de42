using System.Numerics;
using System.Security.Cryptography;
using P2P.Core.Primitives;

namespace P2P.Core.Blocks;

/// <summary>
/// Seals the blocks of one private share and opens them again: docs/protocol.md, "Private shares". The same key and bytes always give the same block, so
/// nothing has to be remembered to make a block a second time; the key of each cipher text follows from all of its plain text, so no key is used twice.
/// Thread-safe. Holds only the two keys derived from the share's key and wipes them when disposed.
/// </summary>
internal sealed class BlockSealer : IDisposable
{
    /// <summary>The length of a share's key (bytes).</summary>
    public const int KeyBytes = 32;

    /// <summary>The most bytes of a file in one block: 251 pages, so that the sealed block keeps below a MiB.</summary>
    public const int MaxLeafBytes = 251 * 4096;

    private const int SealBytes = HMACSHA256.HashSizeInBytes;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;
    private const int LeastPaddedBytes = 256;

    private readonly byte[] _keys = GC.AllocateArray<byte>(2 * KeyBytes, pinned: true);
    private volatile bool _isDisposed;

    /// <summary>Derives what it needs; the caller wipes the share's key.</summary>
    public BlockSealer(ReadOnlySpan<byte> shareKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shareKey.Length, KeyBytes);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shareKey, SealKey, [], "p2p-files/private/1 siv"u8);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shareKey, BlockKey, [], "p2p-files/private/1 block"u8);
    }

    private static ReadOnlySpan<byte> Context => "p2p-files/private/1"u8;

    private Span<byte> SealKey => _keys.AsSpan(0, KeyBytes);

    private Span<byte> BlockKey => _keys.AsSpan(KeyBytes);

    /// <summary>Whether a block of that length (bytes) may be a sealed one: says nothing of what is in it.</summary>
    public static bool IsSealedLength(int bytes) => bytes - SealBytes - TagBytes is >= LeastPaddedBytes and var padded && Padded(padded) == padded;

    /// <summary>The length of the sealed block of so many bytes.</summary>
    public static int SealedBytes(ulong codec, int dataBytes) => SealBytes + Padded(HeaderBytes(codec, dataBytes) + dataBytes) + TagBytes;

    /// <summary>Where the bytes of a block lie while it is being sealed in place.</summary>
    public static int DataOffset(ulong codec, int dataBytes) => SealBytes + HeaderBytes(codec, dataBytes);

    /// <summary>The length that padding gives to so many bytes: at least 256, and otherwise so few significant bits that at most 12 % is added (Padmé).</summary>
    public static int Padded(int bytes)
    {
        int length = Math.Max(bytes, LeastPaddedBytes);
        int exponent = BitOperations.Log2((uint)length);
        int freeBits = exponent - (BitOperations.Log2((uint)exponent) + 1);
        int mask = (1 << freeBits) - 1;
        return (length + mask) & ~mask;
    }

    /// <summary>Seals bytes into a block of exactly <see cref="SealedBytes"/>.</summary>
    public void Seal(ulong codec, ReadOnlySpan<byte> data, Span<byte> block)
    {
        data.CopyTo(block[DataOffset(codec, data.Length)..]);
        SealInPlace(codec, data.Length, block);
    }

    /// <summary>Seals a block of exactly <see cref="SealedBytes"/> whose bytes lie at <see cref="DataOffset"/> already.</summary>
    public void SealInPlace(ulong codec, int dataBytes, Span<byte> block)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (codec is not (Cid.RawCodec or Cid.DagPbCodec))
            throw new ArgumentOutOfRangeException(nameof(codec));
        ArgumentOutOfRangeException.ThrowIfNotEqual(block.Length, SealedBytes(codec, dataBytes));
        Span<byte> seal = block[..SealBytes], padded = block[SealBytes..^TagBytes], tag = block[^TagBytes..];
        int header = UVarint.Write(padded, codec);
        header += UVarint.Write(padded[header..], (ulong)dataBytes);
        padded[(header + dataBytes)..].Clear();

        HMACSHA256.HashData(SealKey, padded, seal);
        Span<byte> key = stackalloc byte[KeyBytes];
        HMACSHA256.HashData(BlockKey, seal, key);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        nonce.Clear(); // each key encrypts one text only
        using (var cipher = new ChaCha20Poly1305(key))
            cipher.Encrypt(nonce, padded, padded, tag, Context);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Opens a block, from anywhere, into memory that is at least as long. Says what is wrong with it, or null.</summary>
    /// <param name="block">The sealed block.</param>
    /// <param name="memory">Where the bytes go; holds nothing of use when the block is refused.</param>
    /// <param name="codec">What the bytes are: raw or dag-pb.</param>
    /// <param name="data">Where in the memory they lie.</param>
    public string? TryOpen(ReadOnlySpan<byte> block, Span<byte> memory, out ulong codec, out Range data)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        (codec, data) = (0, default);
        int paddedBytes = block.Length - SealBytes - TagBytes;
        if (paddedBytes < LeastPaddedBytes || Padded(paddedBytes) != paddedBytes)
            return "it is not as long as a sealed block can be";
        Span<byte> padded = memory[..paddedBytes];
        string? fault = Decrypt(block, padded) ?? ReadHeader(padded, out codec, out data);
        if (fault is not null)
            CryptographicOperations.ZeroMemory(padded);
        return fault;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_keys);
    }

    private string? Decrypt(ReadOnlySpan<byte> block, Span<byte> padded)
    {
        ReadOnlySpan<byte> seal = block[..SealBytes];
        Span<byte> key = stackalloc byte[KeyBytes];
        HMACSHA256.HashData(BlockKey, seal, key);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        nonce.Clear();
        try
        {
            using var cipher = new ChaCha20Poly1305(key);
            cipher.Decrypt(nonce, block[SealBytes..^TagBytes], block[^TagBytes..], padded, Context);
        }
        catch (AuthenticationTagMismatchException)
        {
            return "the key does not open it";
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }

        // the cipher does not commit to its key: only this says that no other key and text give the same block
        Span<byte> again = stackalloc byte[SealBytes];
        HMACSHA256.HashData(SealKey, padded, again);
        return CryptographicOperations.FixedTimeEquals(again, seal) ? null : "its seal is not that of its content";
    }

    private static string? ReadHeader(ReadOnlySpan<byte> padded, out ulong codec, out Range data)
    {
        data = default;
        if (UVarint.TryRead(padded, out codec, out int codecBytes) != System.Buffers.OperationStatus.Done
            || codec is not (Cid.RawCodec or Cid.DagPbCodec)
            || UVarint.TryRead(padded[codecBytes..], out ulong length, out int lengthBytes) != System.Buffers.OperationStatus.Done)
            return "it holds neither bytes of a file nor a node";
        int start = codecBytes + lengthBytes;
        if (length > (ulong)(padded.Length - start))
            return "it claims more bytes than it has";
        int end = start + (int)length;
        if (Padded(end) != padded.Length || padded[end..].ContainsAnyExcept((byte)0))
            return "its padding is not what it should be";
        data = start..end;
        return null;
    }

    private static int HeaderBytes(ulong codec, int dataBytes) => UVarint.SizeOf(codec) + UVarint.SizeOf((ulong)dataBytes);
}
