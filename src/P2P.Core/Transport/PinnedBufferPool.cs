using System.Diagnostics;

namespace P2P.Core.Transport;

/// <summary>
/// Buffers of one size for the hot path, allocated where the collector never moves them. The buffer returned last is rented first, because it is
/// the one still in the processor's cache.
/// </summary>
/// <remarks>Rented memory is dirty. Thread-safe. Not a bound on how many are rented: their users' own limits are.</remarks>
/// <param name="bufferBytes">The size of each buffer.</param>
/// <param name="retainedMax">Buffers kept for reuse (count); the collector takes what is returned beyond it.</param>
internal sealed class PinnedBufferPool(int bufferBytes, int retainedMax)
{
    private readonly Lock _gate = new(); // guards _retained and _count
    private readonly byte[]?[] _retained = new byte[retainedMax][];
    private int _count;

    public int BufferBytes => bufferBytes;

    public byte[] Rent()
    {
        byte[]? buffer = null;
        lock (_gate)
        {
            if (_count > 0)
            {
                buffer = _retained[--_count];
                _retained[_count] = null;
            }
        }
        buffer ??= GC.AllocateUninitializedArray<byte>(bufferBytes, pinned: true);
        FillInDebug(buffer);
        return buffer;
    }

    public void Return(byte[] buffer)
    {
        Debug.Assert(buffer.Length == bufferBytes, "a buffer of another pool");
        FillInDebug(buffer);
        lock (_gate)
        {
            if (_count < _retained.Length)
                _retained[_count++] = buffer;
        }
    }

    /// <summary>Makes use after return, and reliance on zeros, visible in tests.</summary>
    [Conditional("DEBUG")]
    private static void FillInDebug(byte[] buffer) => buffer.AsSpan().Fill(0xFF);
}
