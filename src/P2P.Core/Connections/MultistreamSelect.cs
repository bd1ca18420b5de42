using System.Buffers;
using System.IO.Pipelines;
using P2P.Core.SecureChannel;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>Runs a negotiation over a raw connection, a secure channel or a stream.</summary>
internal static class MultistreamSelect
{
    /// <summary>Negotiates over a stream, within a deadline. Works for both sides.</summary>
    /// <exception cref="ProtocolNotSupportedException">The peer speaks none of the protocols proposed.</exception>
    /// <exception cref="PeerProtocolException">The peer broke the rules, closed, or answered nothing in time.</exception>
    public static async Task RunAsync(
        MultistreamNegotiation negotiation, PipeReader input, PipeWriter output, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(timeout, time, cancellationToken);
        try
        {
            await SendAsync(negotiation, output, deadline.Token).ConfigureAwait(false);
            while (true)
            {
                ReadResult read = await input.ReadAsync(deadline.Token).ConfigureAwait(false);
                ReadOnlySequence<byte> rest = read.Buffer;
                OperationStatus status = negotiation.Read(ref rest);
                bool ended = read.IsCompleted;
                input.AdvanceTo(rest.Start, status == OperationStatus.Done ? rest.Start : rest.End);
                try
                {
                    // also when it failed: a refusal that comes before the fault is the answer that the dialer waits for
                    await SendAsync(negotiation, output, deadline.Token).ConfigureAwait(false);
                }
                catch (IOException) when (status != OperationStatus.NeedMoreData)
                {
                    // the peer does not wait for our answer; its request still counts, and the stream tells if there is none
                }

                ThrowIfFailed(negotiation, status);
                if (status == OperationStatus.Done)
                {
                    return;
                }

                if (ended)
                {
                    throw new PeerProtocolException("closed before a protocol was agreed");
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"agreed on no protocol within {timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Answers on a raw connection until a protocol is agreed. The caller sets the deadline.</summary>
    /// <returns>
    /// What was received beyond the negotiation, and what is still to be sent: when the dialer's next message is here already it does not wait for the
    /// answer, so the answer can travel with the reply to it.
    /// </returns>
    public static async Task<(ReadOnlyMemory<byte> Received, ReadOnlyMemory<byte> Unsent)> ListenAsync(
        MultistreamNegotiation negotiation, ITransportConnection connection, Action onProgress, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[2 * MultistreamCodec.MaxEncodedBytes];
        int filled = 0;
        bool begun = false;
        while (true)
        {
            int count = await connection.ReceiveAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                throw new PeerProtocolException("closed before a protocol was agreed");
            }

            if (!begun)
            {
                begun = true;
                onProgress(); // once: who sends its bytes one by one gets no further by it
            }

            filled += count;
            ReadOnlySequence<byte> rest = new(buffer.AsMemory(0, filled));
            OperationStatus status = negotiation.Read(ref rest);
            ThrowIfFailed(negotiation, status);
            ReadOnlyMemory<byte> output = negotiation.TakeOutput();
            if (status == OperationStatus.Done && !rest.IsEmpty)
            {
                return (rest.First, output);
            }

            if (!output.IsEmpty)
            {
                await connection.SendAsync(output, cancellationToken).ConfigureAwait(false);
            }

            if (status == OperationStatus.Done)
            {
                return (default, default);
            }

            // an incomplete message is shorter than half of the buffer, so there is room for the rest of it
            filled = (int)rest.Length;
            rest.First.CopyTo(buffer);
        }
    }

    /// <summary>Negotiates over a secure channel: for peers that did not choose the muxer during the handshake. The caller sets the deadline.</summary>
    /// <returns>What was received beyond the negotiation.</returns>
    public static async Task<byte[]> RunAsync(MultistreamNegotiation negotiation, ISecureChannel channel, CancellationToken cancellationToken)
    {
        byte[] held = [];
        await SendAsync(negotiation, channel, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            ReadOnlyMemory<byte> received = await channel.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (received.IsEmpty)
            {
                throw new PeerProtocolException("closed before a muxer was agreed");
            }

            ReadOnlySequence<byte> rest = new(held.Length == 0 ? received : (byte[])[.. held, .. received.Span]);
            OperationStatus status = negotiation.Read(ref rest);
            ThrowIfFailed(negotiation, status);
            held = rest.ToArray();
            await SendAsync(negotiation, channel, cancellationToken).ConfigureAwait(false);
            if (status == OperationStatus.Done)
            {
                return held;
            }
        }
    }

    private static async ValueTask SendAsync(MultistreamNegotiation negotiation, PipeWriter output, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = negotiation.TakeOutput();
        if (bytes.IsEmpty)
        {
            return;
        }

        FlushResult flushed = await output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        if (flushed.IsCompleted)
        {
            throw new IOException("the peer reads no more");
        }
    }

    private static async ValueTask SendAsync(MultistreamNegotiation negotiation, ISecureChannel channel, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = negotiation.TakeOutput();
        if (!bytes.IsEmpty)
        {
            channel.Append(bytes.Span);
            await channel.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static void ThrowIfFailed(MultistreamNegotiation negotiation, OperationStatus status)
    {
        if (status == OperationStatus.InvalidData)
        {
            throw negotiation.IsRefused
                ? new ProtocolNotSupportedException(negotiation.Failure)
                : new PeerProtocolException(negotiation.Failure);
        }
    }
}
