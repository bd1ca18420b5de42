using System.Security.Cryptography;
using P2P.Core.Primitives;

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
}
