using P2P.Core.Blocks;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Archives for tests: read from the vectors, cut into pieces as a network would, and written by hand.</summary>
internal static class CarFixture
{
    /// <summary>Puts the blocks of an archive into memory; returns its roots.</summary>
    public static async Task<IReadOnlyList<Cid>> LoadAsync(string path, MemoryBlocks into)
    {
        await using FileStream file = File.OpenRead(path);
        CarReader reader = await CarReader.OpenAsync(file, into.Buffers, allowPadding: false, CancellationToken.None);
        while (await reader.ReadAsync(CancellationToken.None) is { } block)
        {
            using (block)
                into.Add(block.Cid, block.Block.Span);
        }

        return reader.Roots;
    }

    /// <summary>Everything that a reader finds: the roots, then each block's id, its bytes and where it lies.</summary>
    public static async Task<(CarReader Reader, List<(Cid Cid, byte[] Bytes, long Section, long Block)> Blocks)> ReadAsync(Stream source, bool allowPadding = false)
    {
        var buffers = new BlockBufferPool();
        var blocks = new List<(Cid, byte[], long, long)>();
        try
        {
            CarReader reader = await CarReader.OpenAsync(source, buffers, allowPadding, CancellationToken.None);
            while (await reader.ReadAsync(CancellationToken.None) is { } block)
            {
                using (block)
                    blocks.Add((block.Cid, block.Block.Span.ToArray(), block.SectionOffset, block.BlockOffset));
            }

            return (reader, blocks);
        }
        finally
        {
            Assert.AreEqual(0, buffers.RentedCount, "no buffer is lost, whatever came");
        }
    }

    /// <summary>A stream that hands out its bytes in pieces and does not know its length, as a pipe does.</summary>
    internal sealed class Pieces(byte[] bytes, params int[] cuts) : Stream
    {
        private int _at;

        /// <summary>Told how many bytes were handed out.</summary>
        public Action<int>? OnRead { get; init; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int end = cuts.Where(cut => cut > _at).Append(bytes.Length).Min();
            int length = Math.Min(count, end - _at);
            bytes.AsSpan(_at, length).CopyTo(buffer.AsSpan(offset));
            _at += length;
            OnRead?.Invoke(_at);
            return length;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
