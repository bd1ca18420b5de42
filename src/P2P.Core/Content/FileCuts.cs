using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>Cuts files by their bytes, one after the other, reading each once from front to back. Whoever hashes the leaves reads them again, from the system's memory.</summary>
internal sealed class FileCuts(IChunker chunker)
{
    private const int LeavesHeld = 4;

    private byte[]? _window;

    /// <summary>The leaves of an open file of that length.</summary>
    /// <exception cref="EndOfStreamException">The file is shorter.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IEnumerable<(long Offset, int Length)> Cut(SafeFileHandle file, long bytes) => chunker.DependsOnBytes ? CutByBytes(file, bytes) : CutByLength(bytes);

    private IEnumerable<(long Offset, int Length)> CutByLength(long bytes)
    {
        for (long offset = 0; offset < bytes; offset += chunker.MaxBytes)
            yield return (offset, (int)Math.Min(chunker.MaxBytes, bytes - offset));
    }

    private IEnumerable<(long Offset, int Length)> CutByBytes(SafeFileHandle file, long bytes)
    {
        byte[] window = _window ??= new byte[LeavesHeld * chunker.MaxBytes];
        int from = 0, to = 0; // what of the window is not cut yet
        long offset = 0;
        while (offset < bytes)
        {
            if (to - from < chunker.MaxBytes && offset + (to - from) < bytes)
            {
                window.AsSpan(from, to - from).CopyTo(window);
                (from, to) = (0, to - from);
                to += Fill(file, window.AsSpan(to, (int)Math.Min(window.Length - to, bytes - offset - to)), offset + to);
            }

            int length = chunker.NextLength(window.AsSpan(from, to - from));
            yield return (offset, length);
            from += length;
            offset += length;
        }
    }

    private static int Fill(SafeFileHandle file, Span<byte> rest, long offset)
    {
        int count = 0;
        while (count < rest.Length)
        {
            int read = RandomAccess.Read(file, rest[count..], offset + count);
            if (read == 0)
                throw new EndOfStreamException("The file became shorter while it was read.");
            count += read;
        }

        return count;
    }
}
