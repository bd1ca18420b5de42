using P2P.Cli.Output;

namespace P2P.Cli.Control;

/// <summary>A standard stream of an attached process, written to from the owner's. A write waits for a reader that is slow.</summary>
internal sealed class RemoteOutput(ControlChannel channel, bool isError) : OneWayStream(isOutput: true)
{
    private static ReadOnlySpan<byte> EventStart => "{\"event\":"u8;

    // Events and messages are written without awaiting, as to a pipe; the pool replaces a thread that waits here.
    public override void Write(ReadOnlySpan<byte> buffer) => SendAsync(buffer.ToArray(), CancellationToken.None).GetAwaiter().GetResult();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => await SendAsync(buffer, cancellationToken);

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            if (!isError && IsEvent(bytes.Span))
            {
                await channel.SendLineAsync(bytes, cancellationToken);
                return;
            }

            for (int at = 0; at < bytes.Length; at += ControlLimits.ChunkBytes)
            {
                byte[] chunk = bytes.Slice(at, Math.Min(ControlLimits.ChunkBytes, bytes.Length - at)).ToArray();
                await channel.SendAsync(isError ? new OwnerLine { Err = chunk } : new OwnerLine { Out = chunk }, ControlJson.Default.OwnerLine, cancellationToken);
            }
        }
        catch (IOException gone)
        {
            throw new ClosedPipeException(gone);
        }
    }

    // Passed on byte for byte, so it does no harm when content looks like one.
    private static bool IsEvent(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= ControlLimits.EventBytesMax && bytes.StartsWith(EventStart) && bytes.IndexOf((byte)'\n') == bytes.Length - 1;
}

/// <summary>Standard input of an attached process, read from the owner's: asked for piece by piece, so that no more comes than is used.</summary>
internal sealed class RemoteInput(ControlChannel channel) : OneWayStream(isOutput: false)
{
    private readonly Lock _gate = new(); // guards the fields below
    private byte[] _piece = [];
    private int _used;
    private bool _hasEnded, _isWanted;
    private TaskCompletionSource? _arrival;

    /// <summary>Takes what was asked for; anything else is dropped.</summary>
    public void Receive(byte[] bytes)
    {
        lock (_gate)
        {
            if (!_isWanted || bytes.Length > ControlLimits.ChunkBytes)
                return;
            (_piece, _used, _isWanted) = (bytes, 0, false);
            _arrival?.TrySetResult();
        }
    }

    public void End()
    {
        lock (_gate)
        {
            _hasEnded = true;
            _arrival?.TrySetResult();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
            return 0;
        while (true)
        {
            Task arrival;
            bool ask;
            lock (_gate)
            {
                if (_used < _piece.Length)
                {
                    int count = Math.Min(buffer.Length, _piece.Length - _used);
                    _piece.AsMemory(_used, count).CopyTo(buffer);
                    _used += count;
                    return count;
                }

                if (_hasEnded)
                    return 0;
                ask = !_isWanted;
                _isWanted = true;
                _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _arrival.Task;
            }

            if (ask)
                await channel.SendAsync(new OwnerLine { Want = ControlLimits.ChunkBytes }, ControlJson.Default.OwnerLine, cancellationToken);
            await arrival.WaitAsync(cancellationToken);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        byte[] own = new byte[buffer.Length];
        int count = ReadAsync(own).AsTask().GetAwaiter().GetResult();
        own.AsSpan(0, count).CopyTo(buffer);
        return count;
    }
}
