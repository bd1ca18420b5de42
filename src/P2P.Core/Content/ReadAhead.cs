namespace P2P.Core.Content;

/// <summary>
/// Decides how far ahead of a reader blocks are loaded. Nothing after a jump, until the reader has read half a block's worth of bytes: who picks bytes here and there pays
/// for nothing else. From then on enough that the reader does not wait: each time it had to, twice as much, up to what the longest lines hold; and half as
/// much again when for a while all of it was there long before. So the window finds rate times delay without measuring either. Owns no I/O.
/// </summary>
internal sealed class ReadAhead
{
    /// <summary>The most that is loaded ahead (bytes): 1 Gbit/s at 130 ms a round trip, and no more memory than a small fetch.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>The least, once a reader goes on: whatever the block size, one block.</summary>
    private const int MinBytes = 1;

    /// <summary>Blocks in a row at which everything was there, before the window is halved.</summary>
    private const int CalmBlocks = 16;

    private bool _goesOn;
    private long _sinceJump;
    private int _calm;
    private int _blockBytes;

    /// <summary>How much may wait loaded or be loading behind the block that is read. One block more than nothing counts as reaching it.</summary>
    public long Bytes { get; private set; }

    /// <summary>The reader took bytes of a block.</summary>
    /// <param name="count">How many.</param>
    /// <param name="blockBytes">The block's length.</param>
    /// <returns>Whether the window has opened.</returns>
    public bool OnRead(int count, int blockBytes)
    {
        _blockBytes = blockBytes;
        _sinceJump += count;
        if (_goesOn || _sinceJump < (blockBytes + 1) / 2)
            return false;
        _goesOn = true;
        Bytes = Math.Max(Bytes, MinBytes);
        return true;
    }

    /// <summary>The reader went on to the next block.</summary>
    /// <param name="isReady">Whether it was there already.</param>
    /// <param name="isAllReady">Whether all that was loaded ahead was there.</param>
    public void OnNext(bool isReady, bool isAllReady)
    {
        if (!_goesOn)
            return; // a small read across a border
        if (!isReady)
        {
            _calm = 0;
            Bytes = Math.Clamp(2 * Bytes, Math.Max(_blockBytes, MinBytes), MaxBytes);
        }
        else if (!isAllReady)
        {
            _calm = 0;
        }
        else if (++_calm == CalmBlocks)
        {
            _calm = 0;
            Bytes = Math.Max(Bytes / 2, MinBytes);
        }
    }

    /// <summary>The reader jumped to where nothing was loaded.</summary>
    public void OnJump()
    {
        _goesOn = false;
        _sinceJump = 0;
        _calm = 0;
        Bytes = 0;
    }
}
