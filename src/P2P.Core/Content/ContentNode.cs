namespace P2P.Core.Content;

/// <summary>A decoded node of content: a part of a file, a folder, a shard of one, or a symbolic link.</summary>
internal sealed class ContentNode
{
    private ContentNode(Cid cid, UnixFsData data, DagPbLink[] links, FileNode? file)
    {
        Cid = cid;
        Data = data;
        Links = links;
        File = file;
    }

    /// <summary>Its id.</summary>
    public Cid Cid { get; }

    /// <summary>What it says of itself.</summary>
    public UnixFsData Data { get; }

    /// <summary>The entries of a folder or shard; empty for others.</summary>
    public DagPbLink[] Links { get; }

    /// <summary>The file or part of one; null for others.</summary>
    public FileNode? File { get; }

    /// <summary>Whether it is a folder or a shard of one.</summary>
    public bool IsFolder => Data.Type is UnixFsType.Directory or UnixFsType.HamtShard;

    /// <summary>Whether it is a symbolic link.</summary>
    public bool IsLink => Data.Type == UnixFsType.Symlink;

    /// <summary>Decodes a dag-pb block and checks it.</summary>
    /// <exception cref="P2PException">Integrity: it is no content that we know, or contradicts itself.</exception>
    public static ContentNode Decode(in Cid cid, ReadOnlySpan<byte> block, BlockForm? form = null)
    {
        if (cid.Codec != Cid.DagPbCodec)
            throw ContentFault.Contradiction(in cid, $"is of a kind that is no file or folder (codec 0x{cid.Codec:x})");
        if (!DagPbCodec.TryDecode(block, out DagPbNode? node))
            throw ContentFault.Contradiction(in cid, "is not valid dag-pb");
        if (node.Data is null || !UnixFsData.TryDecode(node.Data, out UnixFsData? data))
            throw ContentFault.Contradiction(in cid, "is not a UnixFS file or folder");
        node = form?.Interpret(in cid, node, data) ?? node;
        switch (data.Type)
        {
            case UnixFsType.File or UnixFsType.Raw:
                return new ContentNode(cid, data with { Data = null, BlockBytes = [] }, [], FileNode.From(in cid, node, data));
            case UnixFsType.Directory or UnixFsType.HamtShard:
                return new ContentNode(cid, data, node.Links, null);
            case UnixFsType.Symlink when node.Links.Length == 0:
                return new ContentNode(cid, data, [], null);
            default:
                throw ContentFault.Contradiction(in cid, $"is of a kind that is no file or folder ({data.Type})");
        }
    }
}
