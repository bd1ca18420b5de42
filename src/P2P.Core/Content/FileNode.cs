using P2P.Core.Blocks;

namespace P2P.Core.Content;

/// <summary>A node of a file, checked against itself: bytes that lie in it, then the bytes of its children.</summary>
internal sealed class FileNode
{
    /// <summary>The most children that a file's node may have. The widest layout in use has 1,024; this keeps hostile nodes small in memory.</summary>
    public const int MaxChildren = 16_384;

    private readonly long[] _starts; // of each child, relative to the node's first byte

    private FileNode(byte[] inline, Cid[] children, long[] starts, long bytes)
    {
        Inline = inline;
        Children = children;
        _starts = starts;
        Bytes = bytes;
    }

    /// <summary>The bytes that lie in the node itself; they come before the children's.</summary>
    public ReadOnlyMemory<byte> Inline { get; }

    /// <summary>The children in the order of their bytes.</summary>
    public Cid[] Children { get; }

    /// <summary>All bytes at and below the node.</summary>
    public long Bytes { get; }

    /// <summary>Where a child begins, relative to the node's first byte.</summary>
    public long StartOf(int child) => _starts[child];

    /// <summary>How many bytes of the file a child holds.</summary>
    public long BytesOf(int child) => (child + 1 < _starts.Length ? _starts[child + 1] : Bytes) - _starts[child];

    /// <summary>The child that holds a byte of the node, or the number of children when it lies behind the last or in <see cref="Inline"/>'s stead.</summary>
    public int ChildAt(long offset)
    {
        if (offset < Inline.Length)
            return 0;
        int found = Array.BinarySearch(_starts, offset);
        if (found < 0)
            found = ~found - 1;
        else
            while (found + 1 < _starts.Length && _starts[found + 1] == offset) // empty children share their start with the next
                found++;
        return Math.Max(found, 0);
    }

    /// <summary>A file whose bytes are all here.</summary>
    public static FileNode Of(ReadOnlySpan<byte> bytes) => new(bytes.ToArray(), [], [], bytes.Length);

    /// <summary>Builds it from a decoded node and checks that its sizes agree with each other.</summary>
    /// <exception cref="P2PException">Integrity: they contradict each other.</exception>
    public static FileNode From(in Cid cid, DagPbNode node, UnixFsData data)
    {
        byte[] inline = data.Data ?? [];
        DagPbLink[] links = node.Links;
        if (links.Length != data.BlockBytes.Length)
            throw ContentFault.Contradiction(in cid, $"has {links.Length} children but sizes for {data.BlockBytes.Length}");
        if (links.Length > MaxChildren)
            throw ContentFault.Contradiction(in cid, $"has {links.Length} children, more than a part of a file may have");

        var children = new Cid[links.Length];
        long[] starts = new long[links.Length];
        ulong total = (ulong)inline.Length;
        for (int i = 0; i < links.Length; i++)
        {
            if (links[i].NameSpan.Length > 0)
                throw ContentFault.Contradiction(in cid, "is a part of a file but names its children");
            children[i] = links[i].Cid;
            starts[i] = (long)total;
            if (data.BlockBytes[i] > long.MaxValue - total)
                throw ContentFault.Contradiction(in cid, "claims more bytes than a file can have");
            total += data.BlockBytes[i];
            if (children[i].Codec == Cid.RawCodec && data.BlockBytes[i] > BlockVerification.MaxBlockBytes)
                throw ContentFault.Contradiction(in cid, $"claims a leaf of {data.BlockBytes[i]} bytes");
        }

        if (data.FileBytes is { } claimed && claimed != total)
            throw ContentFault.Contradiction(in cid, $"claims {claimed} bytes but its parts sum to {total}");
        return new FileNode(inline, children, starts, (long)total);
    }
}
