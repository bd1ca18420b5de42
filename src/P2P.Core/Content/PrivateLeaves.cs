using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>Opens the leaves of a private share as they arrive, on the worker that verified them.</summary>
/// <param name="blocks">Where the sealed blocks come from.</param>
/// <param name="form">Opens them.</param>
/// <param name="buffers">Buffers for the opened ones.</param>
internal sealed class PrivateLeaves(IBlockSource blocks, PrivateForm form, BlockBufferPool buffers) : IBlockSource
{
    private volatile OpeningSink? _last; // a fetch has one sink for all its blocks

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAsync(Cid cid, CancellationToken cancellationToken) => OpenAsync(cid, blocks.GetAsync(form.BlockOf(in cid), cancellationToken));

    /// <inheritdoc/>
    public ValueTask<BlockBuffer> GetAheadAsync(Cid cid, int expectedBytes, CancellationToken cancellationToken) =>
        OpenAsync(cid, blocks.GetAheadAsync(form.BlockOf(in cid), SealedBytes(expectedBytes), cancellationToken));

    /// <inheritdoc/>
    public void Hurry(Cid cid) => blocks.Hurry(form.BlockOf(in cid));

    private async ValueTask<BlockBuffer> OpenAsync(Cid cid, ValueTask<BlockBuffer> get)
    {
        using BlockBuffer block = await get.ConfigureAwait(false);
        BlockBuffer opened = buffers.Rent(block.Length);
        try
        {
            Span<byte> memory = opened.Memory.Span;
            ReadOnlySpan<byte> data = memory[form.Open(in cid, block.Span, memory)];
            data.CopyTo(memory);
            opened.Length = data.Length;
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask RequestAsync(Cid cid, int expectedBytes, IBlockSink sink, long tag, CancellationToken cancellationToken)
    {
        OpeningSink opening = _last is { } last && last.Sink == sink ? last : _last = new OpeningSink(sink, form, buffers);
        return blocks.RequestAsync(form.BlockOf(in cid), SealedBytes(expectedBytes), opening, tag, cancellationToken);
    }

    private static int SealedBytes(int leafBytes) => BlockSealer.SealedBytes(Cid.RawCodec, Math.Clamp(leafBytes, 0, BlockSealer.MaxLeafBytes));

    private sealed class OpeningSink(IBlockSink sink, PrivateForm form, BlockBufferPool buffers) : IBlockSink
    {
        public IBlockSink Sink => sink;

        public void OnBlock(in Cid cid, long tag, ReadOnlySpan<byte> data)
        {
            using BlockBuffer opened = buffers.Rent(data.Length);
            Span<byte> memory = opened.Memory.Span;
            Range leaf;
            try
            {
                leaf = form.Open(in cid, data, memory);
            }
            catch (P2PException fault)
            {
                sink.OnFailed(in cid, tag, fault);
                return;
            }

            sink.OnBlock(in cid, tag, memory[leaf]);
        }

        public void OnFailed(in Cid cid, long tag, Exception error) => sink.OnFailed(in cid, tag, error);
    }
}
