using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using P2P.Core.Connections;
using P2P.Core.Transport;

namespace P2P.Core.Protocols;

/// <summary>Round trips on a stream: 32 random bytes that the other side sends back.</summary>
internal sealed class PingProtocol(ConnectionPool pool, TimeProvider time)
{
    public const string Id = "/ipfs/ping/1.0.0";

    /// <summary>One ping (bytes).</summary>
    public const int PingBytes = 32;

    /// <summary>Streams that one peer may ping on (count).</summary>
    private const int MaxInboundPerPeer = 2;

    /// <summary>For one answer.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long a stream is kept for the next ping.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Starts to answer.</summary>
    public void Start() => pool.Handle(Id, AnswerAsync, MaxInboundPerPeer);

    /// <summary>Measures one round trip.</summary>
    /// <exception cref="IOException">The peer answered nothing in time, something else, or does not speak ping.</exception>
    public async Task<TimeSpan> PingAsync(Connection connection, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(AnswerTimeout, time, cancellationToken);
        try
        {
            PeerStream stream = await connection.OpenStreamAsync(Id, deadline.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = stream.ConfigureAwait(false);
            byte[] sent = RandomNumberGenerator.GetBytes(PingBytes);
            long start = time.GetTimestamp();
            await stream.Output.WriteAsync(sent, deadline.Token).ConfigureAwait(false);
            ReadResult read = await stream.Input.ReadAtLeastAsync(PingBytes, deadline.Token).ConfigureAwait(false);
            TimeSpan elapsed = time.GetElapsedTime(start);
            bool isSame = read.Buffer.Length == PingBytes && read.Buffer.ToArray().AsSpan().SequenceEqual(sent);
            stream.Input.AdvanceTo(read.Buffer.End);
            return isSame ? elapsed : throw new PeerProtocolException("answered a ping with other bytes");
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw new PeerProtocolException($"did not answer a ping within {AnswerTimeout.TotalSeconds:0} s");
        }
    }

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            using Deadline deadline = new(IdleTimeout, time, cancellationToken);
            ReadResult read = await stream.Input.ReadAtLeastAsync(PingBytes, deadline.Token).ConfigureAwait(false);
            if (read.Buffer.Length < PingBytes)
            {
                stream.Input.AdvanceTo(read.Buffer.End);
                return;
            }

            ReadOnlySequence<byte> ping = read.Buffer.Slice(0, PingBytes);
            ping.CopyTo(stream.Output.GetSpan(PingBytes));
            stream.Output.Advance(PingBytes);
            stream.Input.AdvanceTo(ping.End);
            await stream.Output.FlushAsync(deadline.Token).ConfigureAwait(false);
        }
    }
}
