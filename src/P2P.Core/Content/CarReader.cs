using System.Buffers;
using System.Buffers.Binary;
using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>
/// Reads a CAR archive of version 1 or 2 from any stream, block by block, each verified if its hash function is accepted. Holds one block at a time. The index of a version 2 archive is
/// not read: what it says is found by reading the blocks, and several tools write different ones.
/// </summary>
internal sealed class CarReader
{
    /// <summary>The longest header (bytes): some 25,000 roots. Others write at most a few.</summary>
    public const int MaxHeaderBytes = 1 << 20;

    /// <summary>The longest section, a block and its id (bytes). Blocks end at half of it.</summary>
    public const int MaxSectionBytes = 4 << 20;

    private const int Version2HeaderBytes = 40;

    private readonly CarInput _input;
    private readonly BlockBufferPool _buffers;
    private readonly bool _allowPadding;
    private bool _hasEnded;

    private CarReader(CarInput input, BlockBufferPool buffers, bool allowPadding) => (_input, _buffers, _allowPadding) = (input, buffers, allowPadding);

    /// <summary>1 or 2.</summary>
    public int Version { get; private set; }

    /// <summary>What the archive is about, as its header claims; may be nothing.</summary>
    public IReadOnlyList<Cid> Roots { get; private set; } = [];

    /// <summary>Bytes read so far.</summary>
    public long Position => _input.Position;

    /// <summary>Reads the header.</summary>
    /// <param name="source">The archive from its first byte on; not disposed.</param>
    /// <param name="buffers">Where blocks are put.</param>
    /// <param name="allowPadding">Whether a section of no bytes ends the archive; otherwise it is an error.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="P2PException">Integrity: it is no archive, or of a version that is not known.</exception>
    public static async Task<CarReader> OpenAsync(Stream source, BlockBufferPool buffers, bool allowPadding, CancellationToken cancellationToken)
    {
        var reader = new CarReader(new CarInput(source), buffers, allowPadding);
        (ulong version, List<Cid>? roots) = await reader.ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
        if (version == 2 && roots is null)
        {
            await reader.EnterPayloadAsync(cancellationToken).ConfigureAwait(false);
            (ulong inner, roots) = await reader.ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
            if (inner != 1)
                throw CarFault.Unsupported($"it holds an archive of version {inner}");
        }
        else if (version != 1)
        {
            throw CarFault.Unsupported($"it is of version {version}");
        }

        reader.Version = (int)version;
        reader.Roots = roots ?? throw CarFault.At(reader.Position, "its header names no roots");
        return reader;
    }

    /// <summary>Reads the next block and verifies it, unless nobody here can: see <see cref="CarBlock.Unverified"/>. Null: the archive has ended. The caller disposes the block.</summary>
    /// <exception cref="P2PException">Integrity: the archive is cut or malformed, or the block is not what its id names.</exception>
    public async ValueTask<CarBlock?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_hasEnded)
            return null;
        long start = Position;
        ulong? section = await _input.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        if (section is 0 && !_allowPadding)
            throw CarFault.At(start, "a section in it is empty");
        if (section is null or 0)
        {
            _hasEnded = true;
            return null;
        }

        if (section > MaxSectionBytes)
            throw CarFault.At(start, $"a section claims {section} bytes, more than {MaxSectionBytes}");
        int length = (int)section;
        Cid cid = await ReadCidAsync(start, length, cancellationToken).ConfigureAwait(false);
        int blockBytes = length - cid.ByteLength;
        if (blockBytes > BlockVerification.MaxBlockBytes)
            throw CarFault.At(start, $"block {cid.ToShortString()} has {blockBytes} bytes, more than the {BlockVerification.MaxBlockBytes} that a block may have");
        BlockVerification.IsAccepted(cid, out string? whyNot);
        long at = Position;
        BlockBuffer block = _buffers.Rent(blockBytes);
        try
        {
            if (!await _input.ReadAsync(block.Memory, cancellationToken).ConfigureAwait(false))
                throw CarFault.At(start, $"it ends inside block {cid.ToShortString()}");
            if (whyNot is null && !BlockVerification.Verify(cid, block.Span))
                throw CarFault.At(start, $"the bytes of block {cid} are not what its id names");
            return new CarBlock(cid, block, start, at, whyNot);
        }
        catch
        {
            block.Dispose();
            throw;
        }
    }

    private async ValueTask<Cid> ReadCidAsync(long start, int section, CancellationToken cancellationToken)
    {
        if (!await _input.FillAsync(1, cancellationToken).ConfigureAwait(false))
            throw CarFault.At(start, "it ends before a block");
        int most = Math.Min(section, Cid.MaxBytes);
        for (int wanted = 1; wanted <= most; wanted++)
        {
            if (!await _input.FillAsync(wanted, cancellationToken).ConfigureAwait(false))
                throw CarFault.At(start, "it ends inside the id of a block");
            int seen = Math.Min(_input.Buffered.Length, most);
            OperationStatus status = Cid.TryRead(_input.Buffered[..seen], out Cid cid, out int consumed);
            if (status == OperationStatus.Done)
            {
                _input.Take(consumed);
                return cid;
            }

            if (status != OperationStatus.NeedMoreData)
                break;
            wanted = seen; // all of that was not enough
        }

        throw CarFault.At(start, "a block in it has no valid id");
    }

    private async Task<(ulong Version, List<Cid>? Roots)> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        long start = Position;
        ulong length = await _input.ReadLengthAsync(cancellationToken).ConfigureAwait(false) ?? throw CarFault.At(start, "it is empty");
        if (length is 0 or > MaxHeaderBytes)
            throw CarFault.At(start, $"its header claims {length} bytes");
        if (!_input.MayHave((long)length))
            throw CarFault.At(start, "it ends inside its header");
        byte[] header = new byte[(int)length];
        if (!await _input.ReadAsync(header, cancellationToken).ConfigureAwait(false))
            throw CarFault.At(start, "it ends inside its header");
        return CarHeader.TryDecode(header, out ulong version, out List<Cid>? roots, out string? why) ? (version, roots) : throw CarFault.At(start, why);
    }

    /// <summary>Goes on to the version 1 archive inside one of version 2 and sets the end there.</summary>
    private async Task EnterPayloadAsync(CancellationToken cancellationToken)
    {
        byte[] header = new byte[Version2HeaderBytes];
        if (!await _input.ReadAsync(header, cancellationToken).ConfigureAwait(false))
            throw CarFault.At(Position, "it ends inside its header");
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(16));
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24));
        ulong index = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(32));
        if (offset < (ulong)Position || offset > long.MaxValue || size is 0 or > long.MaxValue || offset + size > long.MaxValue)
            throw CarFault.At(Position, $"its header places the content at byte {offset} with {size} bytes");
        if (index != 0 && index < offset + size)
            throw CarFault.At(Position, $"its header places the index at byte {index}, inside the content");
        if (!_input.MayHave((long)(offset + size) - Position))
            throw CarFault.At(Position, $"it is shorter than its header says, {offset + size} bytes");
        if (!await _input.SkipAsync((long)offset - Position, cancellationToken).ConfigureAwait(false))
            throw CarFault.At(Position, "it ends before its content");
        _input.Limit((long)size);
    }
}

/// <summary>A block of an archive.</summary>
/// <param name="Cid">Its id as the archive has it.</param>
/// <param name="Block">Its bytes.</param>
/// <param name="SectionOffset">Where its section begins (bytes from the archive's beginning).</param>
/// <param name="BlockOffset">Where its bytes begin.</param>
/// <param name="Unverified">Why its bytes could not be checked; null: they were, and are right.</param>
internal readonly record struct CarBlock(Cid Cid, BlockBuffer Block, long SectionOffset, long BlockOffset, string? Unverified) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Block.Dispose();
}
