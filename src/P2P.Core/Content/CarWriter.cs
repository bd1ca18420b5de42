using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Writes a CAR archive of version 1. The bytes of each block are the caller's knowledge to be right.</summary>
internal sealed class CarWriter(Stream destination)
{
    private readonly byte[] _head = new byte[UVarint.MaxBytes + Cid.MaxBytes];

    /// <summary>Bytes written.</summary>
    public long Bytes { get; private set; }

    /// <summary>Blocks written.</summary>
    public long Blocks { get; private set; }

    /// <summary>Writes the header. Once, and first.</summary>
    public async Task BeginAsync(Cid root, CancellationToken cancellationToken)
    {
        byte[] header = CarHeader.Encode([root]);
        int length = UVarint.Write(_head, (ulong)header.Length);
        await WriteAsync(_head.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        await WriteAsync(header, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes one block.</summary>
    public async ValueTask WriteAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        int length = UVarint.Write(_head, (ulong)(cid.ByteLength + block.Length));
        cid.AsSpan().CopyTo(_head.AsSpan(length));
        await WriteAsync(_head.AsMemory(0, length + cid.ByteLength), cancellationToken).ConfigureAwait(false);
        await WriteAsync(block, cancellationToken).ConfigureAwait(false);
        Blocks++;
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await destination.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        Bytes += bytes.Length;
    }
}
