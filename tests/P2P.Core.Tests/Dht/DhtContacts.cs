using System.Buffers.Binary;
using P2P.Core.Dht;
using P2P.Testing;

namespace P2P.Core.Tests.Dht;

/// <summary>Contacts and callers for tests.</summary>
internal static class DhtContacts
{
    /// <summary>A contact with a name of its own.</summary>
    public static Contact Contact(int number, params string[] addresses)
    {
        byte[] multihash = new byte[34];
        (multihash[0], multihash[1]) = (0x12, 0x20);
        BinaryPrimitives.WriteInt32LittleEndian(multihash.AsSpan(2), number);
        Assert.IsTrue(PeerId.TryFromBytes(multihash, out PeerId peer));
        return new Contact(peer, [.. addresses.Select(static address => Multiaddress.Parse(address))]);
    }

    /// <summary>A contact that said something on a connection from that address.</summary>
    public static DhtCaller Caller(Contact contact, string address) => DhtCaller.Of(contact.Peer, Multiaddress.Parse(address));

    /// <summary>A routing table with contacts that are reachable at public addresses of networks of their own.</summary>
    public static RoutingTable Table(int contacts)
    {
        var table = new RoutingTable(DhtKey.Random(new SeededRandom(1)), RoutingTableSettings.Default);
        for (int i = 0; i < contacts; i++)
            table.Admit(Contact(1_000_000 + i, $"/ip4/{20 + (i % 200)}.{i / 200}.1.1/tcp/1"), new NetworkGroup((uint)i + 1), default);
        return table;
    }
}
