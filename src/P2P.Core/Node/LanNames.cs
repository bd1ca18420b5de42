using System.Globalization;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>From which peer something of the local network came under a name, because whoever has the name next time may be somebody else. Thread-safe.</summary>
internal sealed class LanNames(BlockStore store)
{
    /// <summary>Names that are remembered (count), the one used longest ago giving way.</summary>
    public const int MaxNames = 256;

    private const string Setting = "lan/names";

    private readonly Lock _gate = new(); // guards the list
    private List<(string Name, PeerId Peer)>? _names; // the latest first

    /// <summary>The peer of a name; null: none is remembered.</summary>
    public PeerId? Find(string name)
    {
        lock (_gate)
        {
            int at = (_names ??= Read()).FindIndex(known => known.Name == name);
            return at < 0 ? null : _names[at].Peer;
        }
    }

    /// <summary>Remembers the peer of a name in place of any other.</summary>
    public Task SetAsync(string name, PeerId peer, CancellationToken cancellationToken)
    {
        string text;
        lock (_gate)
        {
            _names ??= Read();
            _names.RemoveAll(known => known.Name == name);
            _names.Insert(0, (name, peer));
            if (_names.Count > MaxNames)
                _names.RemoveAt(MaxNames);
            text = string.Join('\n', _names.Select(static known => $"{known.Peer} {Uri.EscapeDataString(known.Name)}"));
        }

        return store.SetSettingAsync(Setting, text, cancellationToken);
    }

    private List<(string Name, PeerId Peer)> Read()
    {
        List<(string, PeerId)> names = [];
        foreach (string line in (store.GetSetting(Setting) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(MaxNames))
        {
            if (line.Split(' ') is [var id, var name] && PeerId.TryParse(id, CultureInfo.InvariantCulture, out PeerId peer))
                names.Add((Uri.UnescapeDataString(name), peer));
        }

        return names;
    }
}
