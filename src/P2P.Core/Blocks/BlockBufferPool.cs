using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace P2P.Core.Blocks;

/// <summary>
/// Lends pinned arrays for whole blocks, in a few sizes. Pinned, because they go straight to sockets and files;
/// few sizes and a bounded number kept, because a general pool would keep megabytes for each core.
/// </summary>
/// <remarks>What is lent out is bounded by those who rent (windows of the sessions, workers of the import); the pool bounds one buffer to
/// <see cref="BlockVerification.MaxBlockBytes"/> and what it keeps to <see cref="KeptBytesMax"/>.</remarks>
internal sealed class BlockBufferPool
{
    // 64 KiB: DAG nodes and small files; 256 KiB: chunks of older imports; 1 MiB: our chunks; 2 MiB: the largest block
    private static readonly int[] Sizes = [64 << 10, 256 << 10, 1 << 20, BlockVerification.MaxBlockBytes];

    // guards all fields below
    private readonly Lock _lock = new();
    private readonly Stack<byte[]>[] _kept = [.. Sizes.Select(_ => new Stack<byte[]>())];
#if DEBUG
    private readonly HashSet<BlockBuffer> _ledger = new(ReferenceEqualityComparer.Instance);
#endif
    private long _keptBytes;
    private long _rentedBytes;
    private int _rentedCount;

    /// <param name="keptBytesMax">The most bytes that are kept for reuse. The default of 48 MiB serves a window of 32 blocks of 1 MiB and its workers;
    /// lower means more collections of large objects, higher more memory held after a transfer until <see cref="Trim"/>.</param>
    public BlockBufferPool(long keptBytesMax = 48 << 20)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keptBytesMax);
        KeptBytesMax = keptBytesMax;
    }

    /// <summary>The most bytes kept for reuse.</summary>
    public long KeptBytesMax { get; }

    /// <summary>Bytes kept for reuse now.</summary>
    public long KeptBytes
    {
        get
        {
            lock (_lock)
            {
                return _keptBytes;
            }
        }
    }

    /// <summary>Buffers lent out now.</summary>
    public int RentedCount
    {
        get
        {
            lock (_lock)
            {
                return _rentedCount;
            }
        }
    }

    /// <summary>Bytes lent out now.</summary>
    public long RentedBytes
    {
        get
        {
            lock (_lock)
            {
                return _rentedBytes;
            }
        }
    }

    /// <summary>Lends a buffer whose <see cref="BlockBuffer.Length"/> is <paramref name="length"/>; its content is dirty. The caller disposes it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or larger than a block may be.</exception>
    public BlockBuffer Rent(int length, [CallerMemberName] string renter = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, BlockVerification.MaxBlockBytes);
        int index = 0;
        while (Sizes[index] < length)
        {
            index++;
        }

        byte[]? array;
        lock (_lock)
        {
            if (_kept[index].TryPop(out array))
            {
                _keptBytes -= array.Length;
            }

            _rentedBytes += Sizes[index];
            _rentedCount++;
        }

        array ??= GC.AllocateUninitializedArray<byte>(Sizes[index], pinned: true);
        var buffer = new BlockBuffer(this, array, length, renter);
        RecordRent(buffer, array);
        return buffer;
    }

    /// <summary>Lets go of everything kept, for a node that has become idle.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            foreach (Stack<byte[]> stack in _kept)
            {
                stack.Clear();
                stack.TrimExcess();
            }

            _keptBytes = 0;
        }
    }

    /// <summary>Who holds buffers, for tests that assert that nothing leaked. Names only in debug builds.</summary>
    public IReadOnlyList<string> DescribeRented()
    {
        lock (_lock)
        {
#if DEBUG
            return [.. _ledger.GroupBy(buffer => buffer.Renter).Select(group => $"{group.Key} x{group.Count()}").Order(StringComparer.Ordinal)];
#else
            return _rentedCount == 0 ? [] : [$"{_rentedCount} buffers"];
#endif
        }
    }

    internal void Return(BlockBuffer buffer, byte[] array)
    {
        lock (_lock)
        {
#if DEBUG
            _ledger.Remove(buffer);
#endif
            _rentedBytes -= array.Length;
            _rentedCount--;
            if (_keptBytes + array.Length <= KeptBytesMax)
            {
                _keptBytes += array.Length;
                _kept[Array.IndexOf(Sizes, array.Length)].Push(array);
            }
        }
    }

    [Conditional("DEBUG")]
    private void RecordRent(BlockBuffer buffer, byte[] array)
    {
        // whoever reads before writing sees it at once
        array.AsSpan().Fill(0xFF);
#if DEBUG
        lock (_lock)
        {
            _ledger.Add(buffer);
        }
#endif
    }
}
