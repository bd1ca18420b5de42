using System.Diagnostics;

namespace P2P.Core.Content;

/// <summary>
/// Builds the balanced tree over a file's leaves as they come: one open node for each level, so a file of any size needs little memory.
/// All leaves end up equally deep; a last group of one child is wrapped like any other.
/// </summary>
internal sealed class BalancedBuilder(UnixFsProfile profile, NodeWriter writer, BlockForm? form = null)
{
    private static readonly byte[] NoName = []; // every implementation writes the name of a file's link as present and empty

    private readonly BlockForm _form = form ?? BlockForm.Public;
    private readonly List<List<BuiltNode>> _levels = [];

    /// <summary>Adds the next leaf.</summary>
    public void Add(BuiltNode leaf) => Add(0, leaf);

    /// <summary>Ends the file and returns its root: the leaf itself when there is just one. At least one leaf must have been added.</summary>
    public BuiltNode Finish()
    {
        for (int level = 0; level < _levels.Count; level++)
        {
            List<BuiltNode> open = _levels[level];
            bool isTop = level == _levels.Count - 1;
            if (isTop && open.Count == 1)
            {
                BuiltNode root = open[0];
                _levels.Clear();
                return root;
            }

            if (open.Count > 0)
                Close(level);
        }

        throw new UnreachableException("a file has at least one leaf");
    }

    private void Add(int level, BuiltNode child)
    {
        if (level == _levels.Count)
            _levels.Add(new List<BuiltNode>(level == 0 ? profile.Width : 4));
        List<BuiltNode> open = _levels[level];
        open.Add(child);
        if (open.Count == profile.Width)
            Close(level);
    }

    private void Close(int level)
    {
        List<BuiltNode> children = _levels[level];
        var links = new DagPbLink[children.Count];
        ulong[] blockBytes = new ulong[children.Count];
        ulong fileBytes = 0, treeBytes = 0;
        for (int i = 0; i < links.Length; i++)
        {
            links[i] = new DagPbLink(_form.BlockOf(children[i].Cid), NoName, children[i].TreeBytes);
            blockBytes[i] = children[i].FileBytes;
            fileBytes += children[i].FileBytes;
            treeBytes += children[i].TreeBytes;
        }

        children.Clear();
        byte[] data = new UnixFsData(UnixFsType.File) { FileBytes = fileBytes, BlockBytes = blockBytes }.Encode();
        Add(level + 1, _form.MakeNode(profile, DagPbCodec.Encode(links, data), fileBytes, treeBytes, writer));
    }
}
