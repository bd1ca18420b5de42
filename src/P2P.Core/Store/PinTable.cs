using System.Collections.Concurrent;
using System.Globalization;

namespace P2P.Core.Store;

/// <summary>
/// Pins and pin sets in memory: whether a block is kept and who may have it is answered from its set number alone. Read by everybody, changed by the writer.
/// </summary>
internal sealed class PinTable
{
    private readonly ConcurrentDictionary<long, Pin> _pins = new();
    private readonly ConcurrentDictionary<long, long[]> _sets = new();

    // The writer's own: which set has exactly these members, and which set follows when a pin joins one.
    private readonly Dictionary<string, long> _setByMembers = new(StringComparer.Ordinal);
    private readonly Dictionary<(long Set, long Pin), long> _setWith = [];

    public IReadOnlyList<Pin> Pins => [.. _pins.Values.OrderBy(pin => pin.Id.Value)];

    public bool TryGet(PinId id, out Pin? pin) => _pins.TryGetValue(id.Value, out pin);

    /// <summary>Whether any pin keeps the blocks of the set.</summary>
    public bool IsKept(long set)
    {
        if (!_sets.TryGetValue(set, out long[]? members))
            return false;
        foreach (long member in members)
        {
            if (_pins.ContainsKey(member))
                return true;
        }
        return false;
    }

    /// <summary>The pins of a set that there are.</summary>
    public List<Pin> PinsOf(long set)
    {
        List<Pin> found = [];
        foreach (long member in _sets.GetValueOrDefault(set, []))
        {
            if (_pins.TryGetValue(member, out Pin? pin))
                found.Add(pin);
        }
        return found;
    }

    /// <summary>Whether the peer may have blocks of the set (D9).</summary>
    public bool MayServe(long set, in PeerId asker)
    {
        if (!_sets.TryGetValue(set, out long[]? members))
            return false;
        foreach (long member in members)
        {
            if (!_pins.TryGetValue(member, out Pin? pin) || !pin.Kind.IsServed())
                continue;
            if (pin.AllowedPeers.Count == 0 || pin.AllowedPeers.Contains(asker))
                return true;
        }
        return false;
    }

    /// <summary>Whether the pin is one of the set.</summary>
    public bool IsIn(long set, PinId pin) => _sets.TryGetValue(set, out long[]? members) && members.Contains(pin.Value);

    /// <summary>Whether the set is that pin and nothing else.</summary>
    public bool IsOnly(long set, PinId pin) => _sets.TryGetValue(set, out long[]? members) && members is [long only] && only == pin.Value;

    /// <summary>Replaces everything by what the index says.</summary>
    public void Load(IEnumerable<Pin> pins, IEnumerable<(long Set, long Pin)> members)
    {
        Dictionary<long, Pin> loadedPins = pins.ToDictionary(pin => pin.Id.Value);
        Dictionary<long, long[]> loadedSets = members.GroupBy(member => member.Set, member => member.Pin).ToDictionary(set => set.Key, set => set.Order().ToArray());
        foreach (long gone in _pins.Keys.Where(id => !loadedPins.ContainsKey(id)))
            _pins.TryRemove(gone, out _);
        foreach ((long id, Pin pin) in loadedPins)
            _pins[id] = pin;
        foreach (long gone in _sets.Keys.Where(id => !loadedSets.ContainsKey(id)))
            _sets.TryRemove(gone, out _);
        foreach ((long id, long[] set) in loadedSets)
            _sets[id] = set;
        IndexMembers();
    }

    public void Put(Pin pin) => _pins[pin.Id.Value] = pin;

    /// <summary>Forgets a pin at once; its sets keep their numbers without it.</summary>
    public void Remove(PinId id)
    {
        _pins.TryRemove(id.Value, out _);
        foreach ((long set, long[] members) in _sets)
        {
            if (!members.Contains(id.Value))
                continue;
            long[] rest = [.. members.Where(member => member != id.Value)];
            if (rest.Length == 0)
                _sets.TryRemove(set, out _);
            else
                _sets[set] = rest;
        }
        IndexMembers();
    }

    /// <summary>The set of the same pins and one more, if there is one already.</summary>
    public bool TryGetWith(long set, long pin, out long joined)
    {
        if (_setWith.TryGetValue((set, pin), out joined))
            return true;
        long[] members = MembersWith(set, pin);
        if (!_setByMembers.TryGetValue(NameOf(members), out joined))
            return false;
        _setWith[(set, pin)] = joined;
        return true;
    }

    /// <summary>The pins of a set and one more, in order.</summary>
    public long[] MembersWith(long set, long pin)
    {
        long[] members = _sets.GetValueOrDefault(set, []);
        return members.Contains(pin) ? members : [.. members.Append(pin).Order()];
    }

    public void AddSet(long set, long[] members)
    {
        _sets[set] = members;
        _setByMembers[NameOf(members)] = set;
    }

    private static string NameOf(long[] members) => string.Join(',', members.Select(member => member.ToString(CultureInfo.InvariantCulture)));

    private void IndexMembers()
    {
        _setByMembers.Clear();
        _setWith.Clear();
        foreach ((long set, long[] members) in _sets)
            _setByMembers.TryAdd(NameOf(members), set);
    }
}
