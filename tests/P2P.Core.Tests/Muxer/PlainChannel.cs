using System.Buffers;
using System.IO.Pipelines;
using P2P.Core.Identity;
using P2P.Core.SecureChannel;

namespace P2P.Core.Tests.Muxer;

/// <summary>A secure channel without encryption, in memory, that hands out what was sent in pieces of random sizes, so that headers are cut everywhere.</summary>
internal sealed class PlainChannel : ISecureChannel
{
    private static readonly IdentityKey SharedIdentity = IdentityKey.Generate();

    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly Random? _chunks;
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SequencePosition? _consumed;

    private PlainChannel(PipeReader reader, PipeWriter writer, Random? chunks)
    {
        _reader = reader;
        _writer = writer;
        _chunks = chunks;
    }

    public PeerId RemotePeer => SharedIdentity.PeerId;

    public PublicKey RemoteKey => SharedIdentity.PublicKey;

    public string? Muxer => null;

    public Multiaddress LocalAddress { get; } = Multiaddress.Parse("/ip4/127.0.0.1/tcp/1");

    public Multiaddress RemoteAddress { get; } = Multiaddress.Parse("/ip4/127.0.0.1/tcp/2");

    public int MaxAppendBytes => 65519;

    public int UnflushedBytes { get; private set; }

    public int SendBufferBytes => 512 * 1024;

    public bool IsSending => false;

    /// <summary>While set, flushes do not return until the channel is aborted.</summary>
    public bool IsStalled { get; set; }

    /// <summary>Bytes of the largest single <see cref="Append"/> so far.</summary>
    public int LargestAppend { get; private set; }

    public static (PlainChannel Dialer, PlainChannel Listener) NewPair(int? chunkSeed = null)
    {
        var options = new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024, useSynchronizationContext: false);
        Pipe there = new(options), back = new(options);
        return (new PlainChannel(back.Reader, there.Writer, NewRandom(chunkSeed)), new PlainChannel(there.Reader, back.Writer, NewRandom(chunkSeed)));
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        if (_consumed is { } consumed)
            _reader.AdvanceTo(consumed);
        _consumed = null;
        ReadResult read = await _reader.ReadAsync(cancellationToken);
        if (read.IsCanceled)
            throw new IOException("aborted");
        if (read.Buffer.IsEmpty)
        {
            _reader.AdvanceTo(read.Buffer.End);
            return default;
        }
        ReadOnlyMemory<byte> chunk = read.Buffer.First;
        if (_chunks is not null)
            chunk = chunk[..Math.Min(chunk.Length, _chunks.Next(4) == 0 ? _chunks.Next(1, 14) : _chunks.Next(1, 100_000))];
        _consumed = read.Buffer.GetPosition(chunk.Length);
        return chunk;
    }

    public void Append(ReadOnlySpan<byte> plaintext)
    {
        if (plaintext.Length > MaxAppendBytes || UnflushedBytes + plaintext.Length > SendBufferBytes)
            throw new ArgumentException("It does not fit.", nameof(plaintext));
        if (_aborted.Task.IsCompleted)
            throw new IOException("aborted");
        LargestAppend = Math.Max(LargestAppend, plaintext.Length);
        _writer.Write(plaintext);
        UnflushedBytes += plaintext.Length;
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (IsStalled)
            await _aborted.Task;
        if (UnflushedBytes == 0)
            return;
        UnflushedBytes = 0;
        FlushResult flush = await _writer.FlushAsync(cancellationToken);
        if (flush.IsCompleted || flush.IsCanceled)
            throw new IOException("connection closed");
    }

    public void Abort()
    {
        _aborted.TrySetException(new IOException("aborted"));
        _writer.Complete();
        _reader.CancelPendingRead();
        _writer.CancelPendingFlush();
    }

    public async ValueTask DisposeAsync()
    {
        _aborted.TrySetException(new IOException("disposed"));
        _ = _aborted.Task.Exception;
        await _writer.CompleteAsync();
        await _reader.CompleteAsync();
    }

    private static Random? NewRandom(int? seed) => seed is { } value ? new Random(value) : null;
}
