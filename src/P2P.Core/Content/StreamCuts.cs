using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>Cuts a stream into leaves as it comes.</summary>
internal sealed class StreamCuts(Stream content, IChunker chunker, BlockBufferPool buffers)
{
    private readonly byte[] _rest = chunker.DependsOnBytes ? new byte[chunker.MaxBytes] : []; // what was read and belongs to later leaves
    private int _restBytes;
    private bool _hasEnded;

    /// <summary>Whether everything was cut.</summary>
    public bool IsAtEnd => _hasEnded && _restBytes == 0;

    /// <summary>The next leaf, which the caller disposes. At the end of a whole number of leaves of one size it is empty.</summary>
    public async ValueTask<BlockBuffer> NextAsync(CancellationToken cancellationToken)
    {
        BlockBuffer leaf = buffers.Rent(chunker.MaxBytes);
        try
        {
            int bytes = _restBytes;
            _rest.AsSpan(0, bytes).CopyTo(leaf.Memory.Span);
            if (!_hasEnded)
            {
                int read = await content.ReadAtLeastAsync(leaf.Memory[bytes..chunker.MaxBytes], chunker.MaxBytes - bytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                bytes += read;
                _hasEnded = bytes < chunker.MaxBytes;
            }

            int length = chunker.NextLength(leaf.Memory.Span[..bytes]);
            _restBytes = bytes - length;
            leaf.Memory.Span[length..bytes].CopyTo(_rest);
            leaf.Length = length;
            return leaf;
        }
        catch
        {
            leaf.Dispose();
            throw;
        }
    }
}
