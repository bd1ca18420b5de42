using System.Collections.Concurrent;
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

    private readonly ConcurrentBag<byte[]>[] _kept = [.. Sizes.Select(_ => new ConcurrentBag<byte[]>())];
#if DEBUG
    private readonly ConcurrentDictionary<BlockBuffer, byte> _ledger = new(ReferenceEqualityComparer.Instance);
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
    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>Buffers lent out now.</summary>
    public int RentedCount => Volatile.Read(ref _rentedCount);

    /// <summary>Bytes lent out now.</summary>
    public long RentedBytes => Interlocked.Read(ref _rentedBytes);

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

        if (_kept[index].TryTake(out byte[]? array))
        {
            Interlocked.Add(ref _keptBytes, -array.Length);
        }
        else
        {
            array = GC.AllocateUninitializedArray<byte>(Sizes[index], pinned: true);
        }

        Interlocked.Add(ref _rentedBytes, array.Length);
        Interlocked.Increment(ref _rentedCount);
        var buffer = new BlockBuffer(this, array, length, renter);
#if DEBUG
        // whoever reads before writing sees it at once
        array.AsSpan().Fill(0xFF);
        _ledger.TryAdd(buffer, 0);
#endif
        return buffer;
    }

    /// <summary>Lets go of everything kept, for a node that has become idle.</summary>
    public void Trim()
    {
        foreach (ConcurrentBag<byte[]> bag in _kept)
        {
            while (bag.TryTake(out byte[]? array))
            {
                Interlocked.Add(ref _keptBytes, -array.Length);
            }
        }
    }

    /// <summary>Who holds buffers, for tests that assert that nothing leaked. Names only in debug builds.</summary>
    public IReadOnlyList<string> DescribeRented()
    {
#if DEBUG
        return [.. _ledger.Keys.GroupBy(buffer => buffer.Renter).Select(group => $"{group.Key} x{group.Count()}").Order(StringComparer.Ordinal)];
#else
        return RentedCount == 0 ? [] : [$"{RentedCount} buffers"];
#endif
    }

    internal void Return(BlockBuffer buffer, byte[] array)
    {
#if DEBUG
        _ledger.TryRemove(buffer, out _);
#endif
        Interlocked.Decrement(ref _rentedCount);
        Interlocked.Add(ref _rentedBytes, -array.Length);
        if (Interlocked.Add(ref _keptBytes, array.Length) > KeptBytesMax)
        {
            Interlocked.Add(ref _keptBytes, -array.Length);
            return;
        }

        _kept[Array.IndexOf(Sizes, array.Length)].Add(array);
    }
}
