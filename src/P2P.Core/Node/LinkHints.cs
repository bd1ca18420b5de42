using P2P.Core.Addresses;
using P2P.Core.Primitives;

namespace P2P.Core.Node;

/// <summary>
/// The part of a link after <c>#</c>: <c>{ 1: key; 2: repeated Peer { 1: peer id; 2: repeated multiaddr } }</c> in base64url.
/// It came from a stranger by mail or chat, so every count and length has a bound here.
/// </summary>
internal static class LinkHints
{
    /// <summary>The length of a private share's key (bytes).</summary>
    public const int KeyBytes = 32;

    /// <summary>The most addresses that a link is given (count).</summary>
    public const int MaxAddressesWritten = 8;

    /// <summary>The most addresses and the most peers that are taken from a link (count each); further ones are ignored.</summary>
    public const int MaxRead = 32;

    /// <summary>The longest hints that are read (characters).</summary>
    public const int MaxChars = Multibase.MaxChars;

    private const int KeyField = 1;
    private const int PeerField = 2;
    private const int PeerIdField = 1;
    private const int AddressField = 2;

    // given only when there is nothing else
    private const int LoopbackRank = 4;

    /// <summary>
    /// Picks what goes into a link of limited length: each peer once, the addresses that reach furthest first, loopback only when there is nothing else,
    /// none that is valid only on its own machine's link.
    /// </summary>
    public static IReadOnlyList<PeerHint> Select(IEnumerable<PeerHint> peers, int keyBytes, int maxChars)
    {
        List<PeerId> order = [];
        List<(PeerId Peer, Multiaddress Address, int Rank)> addresses = [];
        foreach (PeerHint hint in peers)
        {
            if (!order.Contains(hint.Peer))
            {
                order.Add(hint.Peer);
            }

            foreach (Multiaddress full in hint.Addresses)
            {
                if (Strip(full, hint.Peer) is { } address && RankOf(address) is { } rank && !addresses.Exists(known => known.Peer == hint.Peer && known.Address == address))
                {
                    addresses.Add((hint.Peer, address, rank));
                }
            }
        }

        bool onlyLoopback = addresses.TrueForAll(entry => entry.Rank == LoopbackRank);
        List<(PeerId Peer, Multiaddress Address, int Rank)> kept =
            [.. addresses.Where(entry => onlyLoopback || entry.Rank != LoopbackRank).OrderBy(entry => entry.Rank).Take(MaxAddressesWritten)];
        while (true)
        {
            // the first peer is worth its bytes even without an address: it can be found on the network or in the DHT
            PeerHint[] result = [.. order.Take(MaxRead)
                .Select(peer => new PeerHint(peer, [.. kept.Where(entry => entry.Peer == peer).Select(entry => entry.Address)]))
                .Where((hint, index) => index == 0 || hint.Addresses.Count > 0)];
            if (Base64Chars(SizeOf(keyBytes, result)) <= maxChars)
            {
                return result;
            }

            if (kept.Count == 0)
            {
                return [];
            }

            kept.RemoveAt(kept.Count - 1);
        }
    }

    /// <summary>Encodes; empty when there is nothing to say.</summary>
    public static string Encode(ReadOnlySpan<byte> key, IReadOnlyList<PeerHint> peers)
    {
        byte[] bytes = new byte[SizeOf(key.Length, peers)];
        var writer = new ProtobufWriter(bytes);
        if (!key.IsEmpty)
        {
            writer.WriteBytesField(KeyField, key);
        }

        foreach (PeerHint hint in peers)
        {
            writer.WriteBytesHeader(PeerField, SizeOf(hint));
            writer.WriteBytesField(PeerIdField, hint.Peer.AsSpan());
            foreach (Multiaddress address in hint.Addresses)
            {
                writer.WriteBytesField(AddressField, address.AsSpan());
            }
        }

        return Multibase.EncodeBare(MultibaseEncoding.Base64Url, bytes);
    }

    /// <summary>Decodes. Unknown fields and addresses of unknown kinds are skipped: they may come from a later version.</summary>
    /// <returns>Whether the hints are sound; if not, the link was damaged.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[]? key, out List<PeerHint> peers)
    {
        key = null;
        peers = [];
        if (!Multibase.TryDecode(MultibaseEncoding.Base64Url, text, out byte[] bytes))
        {
            return false;
        }

        int addresses = 0;
        var reader = new ProtobufReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType type))
            {
                return false;
            }

            if (type != WireType.Bytes || field is not (KeyField or PeerField))
            {
                if (!reader.TrySkip(type))
                {
                    return false;
                }

                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> value))
            {
                return false;
            }

            if (field == KeyField)
            {
                if (value.Length != KeyBytes || key is not null)
                {
                    return false;
                }

                key = value.ToArray();
            }
            else if (!TryDecodePeer(value, ref addresses, out PeerHint? hint))
            {
                return false;
            }
            else
            {
                Merge(peers, hint);
            }
        }

        return true;
    }

    /// <summary>Adds a peer to a list that names each once.</summary>
    public static void Merge(List<PeerHint> peers, PeerHint hint)
    {
        int index = peers.FindIndex(known => known.Peer == hint.Peer);
        if (index >= 0)
        {
            peers[index] = new PeerHint(hint.Peer, [.. peers[index].Addresses.Union(hint.Addresses)]);
        }
        else if (peers.Count < MaxRead)
        {
            peers.Add(hint);
        }
    }

    private static bool TryDecodePeer(ReadOnlySpan<byte> message, ref int addresses, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PeerHint? hint)
    {
        hint = null;
        PeerId peer = default;
        List<Multiaddress> known = [];
        var reader = new ProtobufReader(message);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int field, out WireType type))
            {
                return false;
            }

            if (type != WireType.Bytes || field is not (PeerIdField or AddressField))
            {
                if (!reader.TrySkip(type))
                {
                    return false;
                }

                continue;
            }

            if (!reader.TryReadBytes(out ReadOnlySpan<byte> value) || (field == PeerIdField && !PeerId.TryFromBytes(value, out peer)))
            {
                return false;
            }

            if (field == AddressField && addresses < MaxRead && Multiaddress.TryFromBytes(value, out Multiaddress? address))
            {
                addresses++;
                known.Add(address);
            }
        }

        // an address that ends with another peer contradicts the one that it is listed under
        hint = peer.IsEmpty ? null : new PeerHint(peer, [.. known.Select(address => Strip(address, peer)).OfType<Multiaddress>().Distinct()]);
        return hint is not null;
    }

    // the address without its peer; null when it names another one, or nothing else
    private static Multiaddress? Strip(Multiaddress address, PeerId peer)
    {
        Multiaddress stripped = address.PeerId == peer ? address.WithoutPeerId() : address;
        return stripped.PeerId is null ? stripped : null;
    }

    private static int? RankOf(Multiaddress address) => address.Scope switch
    {
        AddressScope.Public or AddressScope.Other => 0,
        AddressScope.Reserved => 1,
        AddressScope.Private => 2,
        AddressScope.LinkLocal => address.Components[0].Code == MultiaddressProtocol.Ip4Code ? 3 : null,
        AddressScope.Loopback => LoopbackRank,
        _ => null,
    };

    private static int SizeOf(int keyBytes, IReadOnlyList<PeerHint> peers) =>
        (keyBytes == 0 ? 0 : ProtobufWriter.SizeOfBytesField(KeyField, keyBytes)) + peers.Sum(hint => ProtobufWriter.SizeOfBytesField(PeerField, SizeOf(hint)));

    private static int SizeOf(PeerHint hint) =>
        ProtobufWriter.SizeOfBytesField(PeerIdField, hint.Peer.ByteLength) +
        hint.Addresses.Sum(address => ProtobufWriter.SizeOfBytesField(AddressField, address.AsSpan().Length));

    private static int Base64Chars(int bytes) => ((bytes * 4) + 2) / 3;
}
