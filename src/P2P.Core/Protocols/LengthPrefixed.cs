using System.Buffers;
using System.IO.Pipelines;
using P2P.Core.Primitives;
using P2P.Core.Transport;

namespace P2P.Core.Protocols;

/// <summary>Messages with a varint length in front, as most libp2p protocols frame them. The length is checked before anything is kept.</summary>
internal static class LengthPrefixed
{
    /// <summary>Reads one message and, only when it is complete, moves the sequence past it.</summary>
    /// <param name="source">What has arrived.</param>
    /// <param name="maxBytes">The longest message accepted; a longer one is InvalidData as soon as its length is known.</param>
    /// <param name="message">The message, borrowed from the sequence.</param>
    public static OperationStatus TryRead(ref ReadOnlySequence<byte> source, int maxBytes, out ReadOnlySequence<byte> message)
    {
        message = default;
        Span<byte> head = stackalloc byte[UVarint.MaxBytes];
        int available = (int)Math.Min(source.Length, head.Length);
        source.Slice(0, available).CopyTo(head);
        OperationStatus status = UVarint.TryRead(head[..available], out ulong length, out int prefix);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        if (length > (ulong)maxBytes)
        {
            return OperationStatus.InvalidData;
        }

        if (source.Length < prefix + (long)length)
        {
            return OperationStatus.NeedMoreData;
        }

        message = source.Slice(prefix, (long)length);
        source = source.Slice(message.End);
        return OperationStatus.Done;
    }

    /// <summary>Reads one message.</summary>
    /// <returns>The message, the caller's own; null when the peer has finished.</returns>
    /// <exception cref="PeerProtocolException">The length is malformed or too large, or the message ends early.</exception>
    public static async ValueTask<byte[]?> ReadAsync(PipeReader input, int maxBytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            ReadOnlySequence<byte> rest = read.Buffer;
            OperationStatus status = TryRead(ref rest, maxBytes, out ReadOnlySequence<byte> message);
            if (status == OperationStatus.Done)
            {
                byte[] own = message.ToArray();
                input.AdvanceTo(rest.Start);
                return own;
            }

            bool isEmpty = rest.IsEmpty;
            input.AdvanceTo(rest.Start, rest.End);
            if (status == OperationStatus.InvalidData)
            {
                throw new PeerProtocolException($"sent a message with a malformed length or of more than {maxBytes} bytes");
            }

            if (read.IsCompleted)
            {
                return isEmpty ? null : throw new PeerProtocolException("ended in the middle of a message");
            }
        }
    }

    /// <summary>Writes one message with its length.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> message)
    {
        Span<byte> head = output.GetSpan(UVarint.MaxBytes);
        output.Advance(UVarint.Write(head, (ulong)message.Length));
        output.Write(message);
    }
}
