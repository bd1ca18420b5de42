using P2P.Core.Blocks;

namespace P2P.Core.Exchange;

/// <summary>
/// Which blocks a peer was sent in the last minute or so: who asks for one again may have got wrong bytes, so it is hashed first (D4).
/// Two generations of keys; a false alarm costs one hash.
/// </summary>
internal sealed class RepeatedAsks
{
    private const int MaxKeysPerGeneration = 8_192;

    private static readonly TimeSpan Generation = TimeSpan.FromSeconds(60);

    private HashSet<MultihashKey> _current = [];
    private HashSet<MultihashKey> _previous = [];
    private TimeSpan _began;

    /// <summary>Notes that the block is sent now. True: it was sent a short while ago as well.</summary>
    public bool Note(in MultihashKey key, TimeSpan now)
    {
        if (now - _began > Generation || _current.Count >= MaxKeysPerGeneration)
        {
            (_previous, _current) = (now - _began > 2 * Generation ? [] : _current, _previous);
            _current.Clear();
            _began = now;
        }

        bool repeated = _previous.Contains(key);
        return !_current.Add(key) || repeated;
    }
}
