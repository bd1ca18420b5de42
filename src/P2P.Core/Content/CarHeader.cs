using System.Diagnostics.CodeAnalysis;

namespace P2P.Core.Content;

/// <summary>The header of a CAR archive: which version it is, and where its content begins.</summary>
internal static class CarHeader
{
    /// <summary>What a version 2 archive begins with, length included: a header that says only which version it is.</summary>
    public static ReadOnlySpan<byte> Pragma => [0x0A, 0xA1, 0x67, (byte)'v', (byte)'e', (byte)'r', (byte)'s', (byte)'i', (byte)'o', (byte)'n', 0x02];

    private static ReadOnlySpan<byte> RootsKey => "roots"u8;

    private static ReadOnlySpan<byte> VersionKey => "version"u8;

    /// <summary>Encodes a version 1 header, without its length.</summary>
    public static byte[] Encode(IReadOnlyCollection<Cid> roots)
    {
        byte[] bytes = new byte[32 + roots.Sum(root => root.ByteLength + 16)];
        int end = DagCbor.WriteHead(bytes, DagCbor.Map, 2);
        end += WriteText(bytes.AsSpan(end), RootsKey);
        end += DagCbor.WriteHead(bytes.AsSpan(end), DagCbor.Array, (ulong)roots.Count);
        foreach (Cid root in roots)
        {
            end += DagCbor.WriteHead(bytes.AsSpan(end), DagCbor.Tag, DagCbor.LinkTag);
            end += DagCbor.WriteHead(bytes.AsSpan(end), DagCbor.ByteString, (ulong)root.ByteLength + 1);
            bytes[end++] = 0;
            root.AsSpan().CopyTo(bytes.AsSpan(end));
            end += root.ByteLength;
        }

        end += WriteText(bytes.AsSpan(end), VersionKey);
        end += DagCbor.WriteHead(bytes.AsSpan(end), DagCbor.UnsignedInteger, 1);
        return bytes[..end];
    }

    /// <summary>Decodes a header of any version; one of version 1 has its roots, which may be none.</summary>
    /// <param name="header">Exactly the header, without its length.</param>
    /// <param name="version">The version it claims.</param>
    /// <param name="roots">Its roots; null when it names none.</param>
    /// <param name="why">What is wrong with it, for a person.</param>
    public static bool TryDecode(ReadOnlySpan<byte> header, out ulong version, out List<Cid>? roots, [NotNullWhen(false)] out string? why)
    {
        version = 0;
        roots = null;
        why = "its header is no map of \"roots\" and \"version\"";
        if (!DagCbor.TryReadStrictHead(ref header, DagCbor.Map, out ulong count) || count is 0 or > 2)
            return false;
        bool hasVersion = false;
        for (ulong i = 0; i < count; i++)
        {
            if (!DagCbor.TryReadStrictHead(ref header, DagCbor.TextString, out ulong length) || length > (ulong)header.Length)
                return false;
            ReadOnlySpan<byte> key = header[..(int)length];
            header = header[(int)length..];
            if (key.SequenceEqual(VersionKey) && !hasVersion)
            {
                hasVersion = true;
                if (!DagCbor.TryReadStrictHead(ref header, DagCbor.UnsignedInteger, out version))
                    return false;
            }
            else if (!key.SequenceEqual(RootsKey) || roots is not null || !TryReadRoots(ref header, out roots))
            {
                return false;
            }
        }

        if (!hasVersion || !header.IsEmpty)
            return false;
        why = null;
        return true;
    }

    private static bool TryReadRoots(ref ReadOnlySpan<byte> header, [NotNullWhen(true)] out List<Cid>? roots)
    {
        roots = null;
        if (!DagCbor.TryReadStrictHead(ref header, DagCbor.Array, out ulong count) || count > (ulong)header.Length)
            return false;
        var found = new List<Cid>();
        for (ulong i = 0; i < count; i++)
        {
            if (!DagCbor.TryReadStrictHead(ref header, DagCbor.Tag, out ulong tag) || tag != DagCbor.LinkTag || !DagCbor.TryReadLinkBytes(ref header, out Cid root))
                return false;
            found.Add(root);
        }

        roots = found;
        return true;
    }

    private static int WriteText(Span<byte> destination, ReadOnlySpan<byte> text)
    {
        int head = DagCbor.WriteHead(destination, DagCbor.TextString, (ulong)text.Length);
        text.CopyTo(destination[head..]);
        return head + text.Length;
    }
}
