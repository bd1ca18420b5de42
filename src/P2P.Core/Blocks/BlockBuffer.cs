namespace P2P.Core.Blocks;

/// <summary>The bytes of one block in pooled memory. Whoever holds it disposes it, once; afterwards the memory belongs to someone else.</summary>
internal sealed class BlockBuffer : IDisposable
{
    private readonly BlockBufferPool _pool;
    private byte[]? _array;

    internal BlockBuffer(BlockBufferPool pool, byte[] array, int length, string renter) => (_pool, _array, Length, Renter) = (pool, array, length, renter);

    /// <summary>The most bytes that fit.</summary>
    public int Capacity => Array.Length;

    /// <summary>How many bytes are in use, at most <see cref="Capacity"/>.</summary>
    public int Length
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Capacity);
            field = value;
        }
    }

    /// <summary>The bytes in use. Rented memory is dirty.</summary>
    public Memory<byte> Memory => Array.AsMemory(0, Length);

    /// <summary>The bytes in use, to read.</summary>
    public ReadOnlySpan<byte> Span => Array.AsSpan(0, Length);

    /// <summary>The member that rented it, for the ledger of leaks.</summary>
    internal string Renter { get; }

    private byte[] Array
    {
        get
        {
            ObjectDisposedException.ThrowIf(_array is null, this);
            return _array;
        }
    }

    /// <summary>Gives the memory back to the pool.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            _pool.Return(this, array);
        }
    }
}
