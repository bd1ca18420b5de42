using System.Net.Sockets;
using P2P.Core.Addresses;

namespace P2P.Core.Discovery;

/// <summary>This machine. For one loop that asks it every few seconds.</summary>
internal sealed class LanSystem(TimeProvider time) : ILanSystem
{
    private (IReadOnlyList<LanInterface> Cards, long At, int Version)? _known;

    public IReadOnlyList<LanInterface> GetInterfaces()
    {
        int version = NetworkChanges.Version;
        if (_known is not { } known || known.Version != version || time.GetElapsedTime(known.At) > NetworkChanges.Lifetime)
            _known = known = (LanInterface.Current(), time.GetTimestamp(), version);
        return known.Cards;
    }

    public ILanChannel Open(LanInterface card, AddressFamily family) => MulticastSocket.Open(card, family);

    public ILanChannel OpenBeacon(LanInterface card) => BeaconSocket.Open(card);
}
