using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace P2P.Core.Muxer;

/// <summary>The reading end of a stream: a pipe's reader that tells the window what was consumed.</summary>
internal sealed class YamuxStreamInput(YamuxStream stream, PipeReader reader) : PipeReader
{
    private ReadOnlySequence<byte> _current;
    private bool _completed;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ReadResult result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        _current = result.Buffer;
        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        bool read = reader.TryRead(out result);
        if (read)
            _current = result.Buffer;
        return read;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long count = _current.IsEmpty ? 0 : _current.GetOffset(consumed) - _current.GetOffset(_current.Start);
        _current = default;
        reader.AdvanceTo(consumed, examined);
        stream.OnConsumed(count);
    }

    public override void CancelPendingRead() => reader.CancelPendingRead();

    /// <summary>Nothing more will be read: what comes is dropped.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        _current = default;
        stream.OnReaderCompleted();
        reader.Complete(exception);
    }
}
