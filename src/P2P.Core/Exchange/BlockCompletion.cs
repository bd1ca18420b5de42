using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>Waits for one block and keeps a copy of it.</summary>
internal sealed class BlockCompletion(BlockBufferPool buffers) : TaskCompletionSource<BlockBuffer>(TaskCreationOptions.RunContinuationsAsynchronously), IBlockSink
{
    public void OnBlock(in Cid cid, long tag, ReadOnlySpan<byte> data)
    {
        BlockBuffer copy = buffers.Rent(data.Length);
        data.CopyTo(copy.Memory.Span);
        if (!TrySetResult(copy))
            copy.Dispose();
    }

    public void OnFailed(in Cid cid, long tag, Exception error) => TrySetException(error);
}
