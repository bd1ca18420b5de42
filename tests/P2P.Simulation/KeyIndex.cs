using P2P.Core.Dht;

namespace P2P.Simulation;

/// <summary>All nodes in the order of their keys: who really is closest to a point. What no node knows and every result is compared with.</summary>
internal sealed class KeyIndex
{
    private readonly SimNode[] _nodes;

    public KeyIndex(IEnumerable<SimNode> nodes)
    {
        _nodes = [.. nodes];
        Array.Sort(_nodes, static (a, b) => a.Key.CompareTo(b.Key));
    }

    public int Count => _nodes.Length;

    /// <summary>The closest ones, the closest first.</summary>
    public List<SimNode> Closest(DhtKey target, int count)
    {
        List<SimNode> closest = new(count);
        Descend(target, 0, _nodes.Length, 0, count, closest);
        return closest;
    }

    /// <summary>Those whose key shares exactly so many leading bits with a point.</summary>
    public ReadOnlySpan<SimNode> WithPrefix(DhtKey key, int bits)
    {
        int low = 0, high = _nodes.Length;
        for (int bit = 0; bit < bits; bit++)
        {
            int middle = Split(low, high, bit);
            (low, high) = key.Bit(bit) ? (middle, high) : (low, middle);
        }

        int last = Split(low, high, bits);
        return key.Bit(bits) ? _nodes.AsSpan(low, last - low) : _nodes.AsSpan(last, high - last);
    }

    private void Descend(DhtKey target, int low, int high, int bit, int count, List<SimNode> closest)
    {
        if (low >= high || closest.Count >= count)
            return;
        if (high - low == 1)
        {
            closest.Add(_nodes[low]);
            return;
        }

        int middle = Split(low, high, bit);
        if (target.Bit(bit))
        {
            Descend(target, middle, high, bit + 1, count, closest);
            Descend(target, low, middle, bit + 1, count, closest);
        }
        else
        {
            Descend(target, low, middle, bit + 1, count, closest);
            Descend(target, middle, high, bit + 1, count, closest);
        }
    }

    /// <summary>The first node of a range that has this bit set; all of the range agree on the bits before.</summary>
    private int Split(int low, int high, int bit)
    {
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_nodes[middle].Key.Bit(bit))
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }
}
