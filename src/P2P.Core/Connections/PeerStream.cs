using System.IO.Pipelines;
using P2P.Core.Muxer;

namespace P2P.Core.Connections;

/// <summary>One stream of a connection, speaking one protocol. One reader and one writer at a time.</summary>
/// <remarks>
/// A stream opened by us for a single protocol is lazy: nothing leaves before the first flush of <see cref="Output"/>, which then carries the proposal
/// and the first application bytes together. The peer's answer is checked at the first read of <see cref="Input"/>, which may throw
/// <see cref="ProtocolNotSupportedException"/>. Who reads before writing anything flushes <see cref="Output"/> first.
/// </remarks>
internal sealed class PeerStream : IAsyncDisposable
{
    private readonly YamuxStream _stream;
    private readonly NegotiatingReader? _negotiating;
    private readonly IDisposable _use;
    private int _disposed;
    private volatile bool _reset;

    public PeerStream(Connection connection, YamuxStream stream, string protocol, NegotiatingReader? negotiating, bool isOutbound, IDisposable use)
    {
        Connection = connection;
        Protocol = protocol;
        IsOutbound = isOutbound;
        _stream = stream;
        _negotiating = negotiating;
        _use = use;
    }

    /// <summary>The protocol spoken.</summary>
    public string Protocol { get; }

    /// <summary>The connection that carries it.</summary>
    public Connection Connection { get; }

    /// <summary>Whether we opened it.</summary>
    public bool IsOutbound { get; }

    /// <summary>What the peer sends; ends when it has finished writing.</summary>
    public PipeReader Input => _negotiating ?? _stream.Input;

    /// <summary>What we send; completing it says that we have finished writing.</summary>
    public PipeWriter Output => _stream.Output;

    /// <inheritdoc cref="YamuxStream.SentBytes"/>
    public long SentBytes => _stream.SentBytes;

    /// <inheritdoc cref="YamuxStream.HasSendCredit"/>
    public bool HasSendCredit => _stream.HasSendCredit;

    /// <summary>Ends both directions at once; what was not delivered is lost.</summary>
    public void Reset()
    {
        _reset = true;
        _stream.Reset();
    }

    /// <summary>Lets the peer send this much more than the window, because we asked for it.</summary>
    public void GrantReceiveWindow(int bytes) => _stream.GrantReceiveWindow(bytes);

    /// <summary>
    /// Closes in good order: finishes writing, then lets the peer finish. The waiting is the connection's work and bounded, so this returns soon.
    /// To abandon a stream whose peer still has much to say, call <see cref="Reset"/> first.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (_reset || !await TryFinishWritingAsync().ConfigureAwait(false))
        {
            _stream.Reset();
            await _stream.DisposeAsync().ConfigureAwait(false);
            _use.Dispose();
            return;
        }

        Connection.Linger(LingerAsync);
    }

    private async ValueTask<bool> TryFinishWritingAsync()
    {
        try
        {
            await _stream.Output.CompleteAsync().ConfigureAwait(false);
            return true;
        }
        catch (IOException)
        {
            return false; // reset by the peer or the connection is gone: nothing is left to close
        }
    }

    /// <summary>Reads the negotiation if the application did not, and what little may follow, so that the peer's writes do not fail.</summary>
    private async Task LingerAsync(int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            PipeReader input = Input;
            long drained = 0;
            while (drained <= maxBytes)
            {
                ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
                drained += read.Buffer.Length;
                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
        {
            // the application completed its input, the peer reset the stream, or it took too long: disposing below settles each case
        }
        finally
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
            _use.Dispose();
        }
    }
}
