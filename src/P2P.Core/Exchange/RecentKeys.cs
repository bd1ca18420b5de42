using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>Remembers the last so many keys.</summary>
internal sealed class RecentKeys(int capacity)
{
    private readonly HashSet<MultihashKey> _keys = [];
    private readonly Queue<MultihashKey> _order = [];

    public void Add(in MultihashKey key)
    {
        if (!_keys.Add(key))
            return;
        _order.Enqueue(key);
        if (_order.Count > capacity)
            _keys.Remove(_order.Dequeue());
    }

    public bool Contains(in MultihashKey key) => _keys.Contains(key);
}
