using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Control;

/// <summary>Standard input of a command that may begin again in another process: a link that was read from it is read again, content of any length is not.</summary>
internal sealed class ReplayedInput(Func<Stream> open) : IDisposable
{
    private const int KeptBytesMax = 64 << 10;

    private readonly MemoryStream _kept = new();
    private Stream? _inner;
    private bool _isLost;

    /// <summary>From the first byte on.</summary>
    /// <exception cref="P2PException">More was read than is kept.</exception>
    public Stream Open() => _isLost
        ? throw new P2PException(P2PErrorCode.InUse, "The process whose node this command used ended while standard input was read, and that can be read once only. Run it again.") { IsTransient = true }
        : new View(this);

    public void Dispose() => _inner?.Dispose();

    private sealed class View(ReplayedInput all) : OneWayStream(isOutput: false)
    {
        private int _position;

        public override int Read(Span<byte> buffer)
        {
            int count = FromKept(buffer);
            return count > 0 ? count : Keep(buffer[..(all._inner ??= all.OpenInner()).Read(buffer)]);
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = FromKept(buffer.Span);
            if (count > 0)
                return count;
            count = await (all._inner ??= all.OpenInner()).ReadAsync(buffer, cancellationToken);
            return Keep(buffer.Span[..count]);
        }

        private int FromKept(Span<byte> buffer)
        {
            int count = Math.Min(buffer.Length, (int)all._kept.Length - _position);
            if (count > 0 && !all._isLost)
                all._kept.GetBuffer().AsSpan(_position, count).CopyTo(buffer);
            _position += Math.Max(count, 0);
            return Math.Max(count, 0);
        }

        private int Keep(ReadOnlySpan<byte> read)
        {
            if (all._kept.Length + read.Length > KeptBytesMax)
                all._isLost = true;
            if (!all._isLost)
            {
                all._kept.Write(read);
                _position += read.Length;
            }

            return read.Length;
        }
    }

    private Stream OpenInner() => open();
}
