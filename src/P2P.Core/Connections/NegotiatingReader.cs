using System.Buffers;
using System.IO.Pipelines;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>The input of a stream whose protocol was proposed together with the first application bytes: checks the answer before the first application read.</summary>
internal sealed class NegotiatingReader(PipeReader inner, MultistreamNegotiation negotiation, TimeSpan timeout, TimeProvider time) : PipeReader
{
    private volatile bool _agreed;
    private Exception? _failure;
    private bool _gaveEmpty; // the last result was made here: the inner reader has nothing to advance

    /// <summary>Whether the other side has accepted the protocol.</summary>
    public bool IsAgreed => _agreed;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        _gaveEmpty = false;
        return _agreed ? inner.ReadAsync(cancellationToken) : AgreeThenReadAsync(cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        _gaveEmpty = false;
        while (!_agreed)
        {
            ThrowIfFailed();
            if (!inner.TryRead(out ReadResult answer))
            {
                result = default;
                return false;
            }

            if (!Take(answer) && answer.IsCanceled)
            {
                result = CanceledBeforeAgreement();
                return true;
            }
        }

        return inner.TryRead(out result);
    }

    /// <summary>Reads the answer if it has not been read.</summary>
    /// <returns>False when the read was canceled by <see cref="CancelPendingRead"/>.</returns>
    /// <exception cref="ProtocolNotSupportedException">The peer does not speak the protocol.</exception>
    /// <exception cref="PeerProtocolException">It answered something else, nothing in time, or closed.</exception>
    public async ValueTask<bool> AgreeAsync(CancellationToken cancellationToken)
    {
        if (_agreed)
        {
            return true;
        }

        ThrowIfFailed();
        using Deadline deadline = new(timeout, time, cancellationToken);
        try
        {
            while (!_agreed)
            {
                ReadResult answer = await inner.ReadAsync(deadline.Token).ConfigureAwait(false);
                if (!Take(answer) && answer.IsCanceled)
                {
                    return false;
                }
            }

            return true;
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw _failure = new PeerProtocolException($"did not answer the protocol proposal within {timeout.TotalSeconds:0.#} s");
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_gaveEmpty)
        {
            inner.AdvanceTo(consumed, examined);
        }
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private async ValueTask<ReadResult> AgreeThenReadAsync(CancellationToken cancellationToken) =>
        await AgreeAsync(cancellationToken).ConfigureAwait(false)
            ? await inner.ReadAsync(cancellationToken).ConfigureAwait(false)
            : CanceledBeforeAgreement();

    private ReadResult CanceledBeforeAgreement()
    {
        _gaveEmpty = true;
        return new ReadResult(ReadOnlySequence<byte>.Empty, isCanceled: true, isCompleted: false);
    }

    private bool Take(in ReadResult answer)
    {
        ReadOnlySequence<byte> rest = answer.Buffer;
        OperationStatus status = negotiation.Read(ref rest);
        bool ended = answer.IsCompleted;

        // after the deciding message what follows is not examined, so the application's read returns at once
        inner.AdvanceTo(rest.Start, status == OperationStatus.Done ? rest.Start : rest.End);
        if (status == OperationStatus.InvalidData)
        {
            throw _failure = negotiation.IsRefused
                ? new ProtocolNotSupportedException(negotiation.Failure)
                : new PeerProtocolException(negotiation.Failure);
        }

        if (status == OperationStatus.Done)
        {
            return _agreed = true;
        }

        if (ended)
        {
            throw _failure = new PeerProtocolException("closed the stream before it answered the protocol proposal");
        }

        return false;
    }

    /// <summary>The answer is read once; whoever reads again is told the same.</summary>
    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw failure is ProtocolNotSupportedException ? new ProtocolNotSupportedException(failure.Message) : new PeerProtocolException(failure.Message, failure);
        }
    }
}
