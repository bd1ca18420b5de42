using P2P.Core.Blocks;

namespace P2P.Core.Store;

/// <summary>The bytes of one block, opened for reading: in memory when they were hashed, otherwise read from the source file as they are sent.
/// A value that owns something: dispose it once, do not copy it.</summary>
internal readonly struct StoredBlock : IDisposable
{
    private readonly BlockBuffer? _buffer;
    private readonly SourceFileCache? _sources;
    private readonly SourceFile? _source;
    private readonly FileIdentity _identity; // of the source when it was found sound
    private readonly long _offset;

    /// <summary>A block in memory, which now belongs to this.</summary>
    public StoredBlock(BlockBuffer buffer) => (_buffer, Length) = (buffer, buffer.Length);

    /// <summary>A block in a source file, which is released with this.</summary>
    public StoredBlock(SourceFileCache sources, SourceFile source, in FileIdentity identity, long offset, int length) =>
        (_sources, _source, _identity, _offset, Length) = (sources, source, identity, offset, length);

    /// <summary>Size of the block (bytes).</summary>
    public int Length { get; }

    /// <summary>Copies bytes from the offset on, as many as fit and are left.</summary>
    /// <returns>How many; 0 at the end.</returns>
    /// <exception cref="P2PException">The file was changed or became unreadable since it was opened: the block cannot be finished.</exception>
    public int Read(Span<byte> destination, int offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length);
        int wanted = Math.Min(destination.Length, Length - offset);
        if (wanted == 0)
            return 0;
        if (_buffer is not null)
        {
            _buffer.Span.Slice(offset, wanted).CopyTo(destination);
            return wanted;
        }
        try
        {
            // Looked at again after the read: bytes that were changed while the block is being sent never leave.
            if (_source!.Handle.Read(destination[..wanted], _offset + offset) == wanted && _source.Handle.GetIdentity() == _identity)
                return wanted;
        }
        catch (Exception error) when (StoreFailure.IsFromDisk(error))
        {
            throw _sources!.FailureOf(_source!, error);
        }
        throw _sources!.FailureOf(_source, null);
    }

    /// <summary>Takes the buffer out; the caller disposes it instead of this. Null when the block is not in memory.</summary>
    public BlockBuffer? TakeBuffer() => _buffer;

    public void Dispose()
    {
        _buffer?.Dispose();
        if (_source is not null)
            _sources!.Release(_source);
    }
}
