using System.IO.Pipelines;
using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Connections;
using P2P.Core.Protocols;
using P2P.Core.Transport;

namespace P2P.Core.Replication;

/// <summary>What both sides of <c>/p2p-files/replica/1.0.0</c> agree on.</summary>
internal static class ReplicaProtocol
{
    /// <summary>The protocol of offers, audits and releases.</summary>
    public const string Id = "/p2p-files/replica/1.0.0";

    /// <summary>The network that holders form among themselves.</summary>
    public const string KadId = "/p2p-files/replica/kad/1.0.0";

    /// <summary>The longest message (bytes).</summary>
    public const int MaxMessageBytes = 1 << 20;

    /// <summary>Length of an audit's nonce (bytes).</summary>
    public const int AuditNonceBytes = 32;

    /// <summary>Answers of a verdict.</summary>
    public const byte Have = 1, Want = 2, Refuse = 3;

    /// <summary>What an auditor expects: only who can get the block at this moment can make it, for this auditor and this question.</summary>
    public static byte[] Proof(PeerId auditor, PeerId holder, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> block)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("p2p-files/audit/1"u8);
        hash.AppendData(auditor.AsSpan());
        hash.AppendData(holder.AsSpan());
        hash.AppendData(nonce);
        hash.AppendData(block);
        return hash.GetHashAndReset();
    }

    /// <summary>Sends one message.</summary>
    public static async Task SendAsync(PeerStream stream, ReplicaMessage message, CancellationToken cancellationToken)
    {
        LengthPrefixed.Write(stream.Output, message.ToByteArray());
        FlushResult flushed = await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (flushed.IsCompleted)
            throw new PeerProtocolException("closed the stream");
    }

    /// <summary>Receives one message; null when the peer has finished.</summary>
    public static async Task<ReplicaMessage?> ReceiveAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        if (await LengthPrefixed.ReadAsync(stream.Input, MaxMessageBytes, cancellationToken).ConfigureAwait(false) is not { } bytes)
            return null;
        return TryDecode(bytes, out ReplicaMessage? message) ? message : throw new PeerProtocolException("sent a malformed replica message");
    }

    /// <summary>Reads one message.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ReplicaMessage? message) =>
        ProtobufMessages.TryParse(ReplicaMessage.Parser, ReplicaMessage.Descriptor, bytes, out message);

    /// <summary>Reads the blocks of an offer; null when they are not sound or too many.</summary>
    public static List<ReplicaEntry>? ReadEntries(IReadOnlyCollection<ReplicaMessage.Types.Entry> entries)
    {
        if (entries.Count is 0 or > RunCutter.MaxBlocksOfOneRun)
            return null;
        List<ReplicaEntry> read = new(entries.Count);
        HashSet<Blocks.MultihashKey> seen = [];
        foreach (ReplicaMessage.Types.Entry entry in entries)
        {
            if (entry.Size > int.MaxValue || !Cid.TryFromBytes(entry.Cid.Span, out Cid cid, out int consumed) || consumed != entry.Cid.Length || !seen.Add(cid.Key))
                return null;
            read.Add(new ReplicaEntry(cid, (int)entry.Size));
        }

        return read;
    }
}
