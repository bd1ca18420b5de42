using System.Security.Cryptography;
using Google.Protobuf;
using P2P.Core.Primitives;
using P2P.Core.Protocols;

namespace P2P.Core.Replication;

/// <summary>One block that is to be kept.</summary>
/// <param name="Cid">Which.</param>
/// <param name="Size">Its length (bytes).</param>
internal readonly record struct ReplicaEntry(Cid Cid, int Size)
{
    /// <summary>What a lease and a receipt say instead of a list: SHA-256 over uvarint(length) || multihash || uvarint(size) of each, in order.</summary>
    public static byte[] Digest(IEnumerable<ReplicaEntry> entries)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[UVarint.MaxBytes];
        Span<byte> multihash = stackalloc byte[128];
        foreach (ReplicaEntry entry in entries)
        {
            int length = entry.Cid.Key.CopyTo(multihash);
            hash.AppendData(number[..UVarint.Write(number, (ulong)length)]);
            hash.AppendData(multihash[..length]);
            hash.AppendData(number[..UVarint.Write(number, (ulong)entry.Size)]);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>One to be proved, not to be foreseen; null when all are empty, which everybody can prove.</summary>
    public static ReplicaEntry? Draw(IReadOnlyList<ReplicaEntry> entries)
    {
        for (int tries = 0; tries < 8 && entries.Count > 0; tries++)
        {
            ReplicaEntry drawn = entries[RandomNumberGenerator.GetInt32(entries.Count)];
            if (drawn.Size > 0)
                return drawn;
        }

        return entries.Any(static entry => entry.Size > 0) ? entries.First(static entry => entry.Size > 0) : null;
    }

    /// <summary>As a list is kept on the disk.</summary>
    public static byte[] WriteAll(IEnumerable<ReplicaEntry> entries)
    {
        var list = new EntryList();
        list.Entries.AddRange(entries.Select(static entry => entry.ToMessage()));
        return list.ToByteArray();
    }

    /// <summary>Reads what <see cref="WriteAll"/> wrote; empty when it is damaged.</summary>
    public static IReadOnlyList<ReplicaEntry> ReadAll(ReadOnlySpan<byte> bytes) =>
        ProtobufMessages.TryParse(EntryList.Parser, EntryList.Descriptor, bytes, out EntryList? list) ? ReplicaProtocol.ReadEntries(list.Entries) ?? [] : [];

    /// <summary>As it is sent.</summary>
    public ReplicaMessage.Types.Entry ToMessage() => new() { Cid = ByteString.CopyFrom(Cid.AsSpan()), Size = (uint)Size };
}
