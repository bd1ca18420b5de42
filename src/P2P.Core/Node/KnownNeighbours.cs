using System.Globalization;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Peers that were reached on a local network, remembered for the next start: a network that lets nothing be found still lets a peer be dialed. Thread-safe.</summary>
internal sealed class KnownNeighbours(BlockStore store)
{
    /// <summary>Peers that are remembered (count), the one longest ago giving way.</summary>
    public const int MaxPeers = 32;

    private const string Setting = "lan/peers";

    private readonly Lock _gate = new(); // guards the list
    private readonly List<(PeerId Peer, Multiaddress Address)> _peers = []; // the latest first
    private string[] _written = []; // of the one who writes

    /// <summary>Everybody, the latest first.</summary>
    public IReadOnlyList<(PeerId Peer, Multiaddress Address)> All
    {
        get
        {
            lock (_gate)
                return [.. _peers];
        }
    }

    /// <summary>Reads what was remembered.</summary>
    public void Load()
    {
        _written = (store.GetSetting(Setting) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lock (_gate)
        {
            foreach (string text in _written.Take(MaxPeers))
            {
                if (Multiaddress.TryParse(text, CultureInfo.InvariantCulture, out Multiaddress? address) && address.PeerId is { } peer && _peers.TrueForAll(known => known.Peer != peer))
                    _peers.Add((peer, address.WithoutPeerId()));
            }
        }
    }

    /// <summary>A peer was reached; of each the last address is kept.</summary>
    public void OnReached(PeerId peer, Multiaddress address)
    {
        lock (_gate)
        {
            _peers.RemoveAll(known => known.Peer == peer);
            _peers.Insert(0, (peer, address));
            if (_peers.Count > MaxPeers)
                _peers.RemoveAt(MaxPeers);
        }
    }

    /// <summary>Writes them down, unless the same ones are written already.</summary>
    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        string[] now = [.. All.Select(static known => known.Address.WithPeerId(known.Peer).ToString())];
        if (now.Length == _written.Length && now.ToHashSet().SetEquals(_written))
            return;
        await store.SetSettingAsync(Setting, string.Join('\n', now), cancellationToken).ConfigureAwait(false);
        _written = now;
    }
}
