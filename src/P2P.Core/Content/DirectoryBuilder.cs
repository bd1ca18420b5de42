using P2P.Core.Primitives;

namespace P2P.Core.Content;

/// <summary>Makes a folder's node from its entries: one node, or a tree of shards when that would be too large (HAMT, 256 buckets, murmur3).</summary>
internal sealed class DirectoryBuilder(UnixFsProfile profile, NodeWriter writer, BlockForm? form = null, NodeMetadata? metadata = null)
{
    private const int Fanout = 256;
    private const int BitsPerLevel = 8;
    private const int MaxLevels = 64 / BitsPerLevel;
    private static readonly UnixFsData Plain = new(UnixFsType.Directory);
    private static readonly int PlainBytes = Plain.Encode().Length;

    private readonly List<FolderEntry> _entries = [];
    private readonly BlockForm _form = form ?? BlockForm.Public;
    private long _estimatedBytes; // what the profile compares with its limit
    private int _hintBytes; // of what describes the entries besides their links

    /// <summary>Entries so far.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds an entry. Names are unique; the order does not matter.</summary>
    public void Add(byte[] name, BuiltNode target)
    {
        var link = new DagPbLink(target.Cid, name, target.TreeBytes);
        _entries.Add(new FolderEntry(link, target.FileBytes));
        _hintBytes += _form.HintBytesOf(in target);
        _estimatedBytes += profile.CidVersion == 1 ? DagPbCodec.SizeOf(in link) : name.Length + target.Cid.ByteLength;
    }

    /// <summary>Ends the folder and returns its root.</summary>
    public BuiltNode Finish()
    {
        UnixFsData data = metadata?.ApplyTo(Plain) ?? Plain;
        int dataBytes = (metadata is null ? PlainBytes : data.Encode().Length) + (_form.IsPrivate ? ProtobufWriter.SizeOfBytesField(UnixFsData.LeafHintsField, _hintBytes) : 0);
        long fixedBytes = profile.CidVersion == 1 ? ProtobufWriter.SizeOfBytesField(1, dataBytes) : 0;
        if (_estimatedBytes + fixedBytes > profile.ShardAboveBytes)
            return BuildShards();

        FolderEntry[] entries = [.. _entries];
        Array.Sort(entries, static (a, b) => a.Link.NameSpan.SequenceCompareTo(b.Link.NameSpan));
        return Write(entries, data);
    }

    private BuiltNode BuildShards()
    {
        FolderEntry[] entries = [.. _entries];
        ulong[] hashes = new ulong[entries.Length];
        for (int i = 0; i < entries.Length; i++)
            hashes[i] = Murmur3.Hash64(entries[i].Link.NameSpan);
        Array.Sort(hashes, entries);
        return BuildShard(hashes, entries, level: 0);
    }

    // recursion is at most eight deep: a level takes eight of 64 bits
    private BuiltNode BuildShard(ReadOnlySpan<ulong> hashes, ReadOnlySpan<FolderEntry> entries, int level)
    {
        if (level == MaxLevels)
            throw new InvalidOperationException("Two names of one folder have the same 64-bit hash; such a folder cannot be written.");

        var links = new List<FolderEntry>();
        byte[] bitmap = new byte[Fanout / 8];
        int shift = 64 - (BitsPerLevel * (level + 1));
        for (int start = 0; start < entries.Length;)
        {
            int bucket = (int)(hashes[start] >> shift) & (Fanout - 1);
            int end = start + 1;
            while (end < entries.Length && ((int)(hashes[end] >> shift) & (Fanout - 1)) == bucket)
                end++;

            bitmap[bitmap.Length - 1 - (bucket / 8)] |= (byte)(1 << (bucket % 8)); // one big-endian number, bucket 0 the lowest bit
            if (end - start == 1)
            {
                DagPbLink link = entries[start].Link;
                links.Add(entries[start] with { Link = link with { Name = Prefixed(bucket, link.NameSpan) } });
            }
            else
            {
                BuiltNode shard = BuildShard(hashes[start..end], entries[start..end], level + 1);
                links.Add(new FolderEntry(new DagPbLink(shard.Cid, Prefixed(bucket, []), shard.TreeBytes), 0));
            }

            start = end;
        }

        ReadOnlySpan<byte> significant = bitmap.AsSpan().TrimStart((byte)0);
        var data = new UnixFsData(UnixFsType.HamtShard) { Data = significant.ToArray(), HashType = Multihash.Murmur3X64_64, Fanout = Fanout };
        return Write([.. links], level == 0 && metadata is not null ? metadata.ApplyTo(data) : data);
    }

    private static byte[] Prefixed(int bucket, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> digits = "0123456789ABCDEF"u8;
        byte[] prefixed = new byte[2 + name.Length];
        prefixed[0] = digits[bucket >> 4];
        prefixed[1] = digits[bucket & 15];
        name.CopyTo(prefixed.AsSpan(2));
        return prefixed;
    }

    private BuiltNode Write(FolderEntry[] entries, UnixFsData data)
    {
        var links = new DagPbLink[entries.Length];
        ulong bytesBelow = 0;
        for (int i = 0; i < links.Length; i++)
        {
            DagPbLink link = entries[i].Link;
            links[i] = link with { Cid = _form.BlockOf(link.Cid) };
            bytesBelow += link.TargetBytes ?? 0;
        }

        byte[] node = DagPbCodec.Encode(links, (data with { LeafHints = _form.HintsOf(entries) }).Encode());
        return _form.MakeNode(profile, node, 0, bytesBelow, writer);
    }
}
