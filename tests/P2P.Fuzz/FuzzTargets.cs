using System.Buffers;
using System.Net;
using System.Text;
using P2P.Core;
using P2P.Core.Addresses;
using P2P.Core.Blocks;
using P2P.Core.Diagnostics;
using P2P.Core.Identity;
using P2P.Core.Node;
using P2P.Core.Primitives;

namespace P2P.Fuzz;

/// <summary>The table of decoders. Whatever reads bytes or text from outside has a line here.</summary>
internal static partial class FuzzTargets
{
    private const string PeerText = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
    private const string HashedPeerText = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";

    private static readonly PeerId Peer = PeerId.Parse(PeerText);
    private static readonly IdentityKey Identity = IdentityKey.FromSeed([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    private static readonly Cid Raw = Cid.OfRaw("hello"u8);
    private static readonly Cid Version0 = Cid.Parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");

    private static readonly string[] Addresses =
    [
        $"/ip4/192.0.2.7/tcp/24817/p2p/{PeerText}", "/ip6zone/x/ip6/fe80::1/tcp/1", "/dns4/example.com/tcp/443/tls/ws", "/dnsaddr/bootstrap.example.com",
        $"/ip4/192.0.2.7/tcp/1/p2p/{HashedPeerText}/p2p-circuit/p2p/{PeerText}", "/unix/run/x.sock", "/http-path/tmp%2Fbar",
        "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234", "/ip4/127.0.0.1/udp/1234/quic-v1/webtransport/certhash/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g",
    ];

    private static readonly PeerHint[] Hints = [new(Peer, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/24817"), Multiaddress.Parse("/ip6/2001:db8::7/tcp/1")])];

    private static readonly string[] Links =
    [
        ShareLink.Create(Raw, "film one.mkv", Hints).ToUriString(), ShareLink.CreatePrivate(Raw, new byte[32], Hints).ToUriString(),
        $"p2p://{Raw}/x?peer=/ip4/192.0.2.7/tcp/1/p2p/{PeerText}&peer=/p2p/{HashedPeerText}", $"ipfs://{Version0}/a/b%20c", $"/ipfs/{Raw}/a/b", Raw.ToString(),
    ];

    /// <summary>Every target.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("uvarint", [[0xAC, 0x02], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0]], UVarints),
        new("protobuf", [[0x08, 0x96, 0x01, 0x12, 0x07, .. "testing"u8, 0x1D, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]], Protobuf),
        new("multibase", Texts(Enum.GetValues<MultibaseEncoding>().Select(encoding => Multibase.Encode(encoding, [0, 0, 1, 2, 3, 250]))), MultibaseText),
        new("percent", Texts(["a%20b", "%C3%A9", "plain"]), PercentText),
        new("multihash", [Raw.MultihashSpan.ToArray(), [0, 3, 1, 2, 3], [0xA0, 0xE4, 0x02, 0x20, .. new byte[32]]], Multihashes),
        new("cid", [Raw.ToArray(), Version0.ToArray(), [1, 0x55, 0, 3, 7, 8, 9]], Cids),
        new("cid-text", Texts([Raw.ToString(), Version0.ToString(), Multibase.Encode(MultibaseEncoding.Base58Btc, Raw.AsSpan())]), CidTexts),
        new("multiaddr", [.. Addresses.Select(text => Multiaddress.Parse(text).ToArray())], Multiaddresses),
        new("multiaddr-text", Texts(Addresses), MultiaddressTexts),
        new("link", Texts(Links), LinkTexts),
        new("link-hints", [.. Links.Take(2).Select(link => Bytes(link[(link.IndexOf('#', StringComparison.Ordinal) + 1)..]))], HintBytes),
        new("peer-id", [Peer.ToArray(), PeerId.Parse(HashedPeerText).ToArray()], PeerIds),
        new("peer-id-text", Texts([PeerText, HashedPeerText, Peer.ToCidString()]), PeerIdTexts),
        new("public-key", [Identity.PublicKey.Encode()], PublicKeys),
        new("private-key", [Identity.EncodePrivateKey()], PrivateKeys),
        new("untrusted-text", Texts(["kubo/0.30", "a\u001b[31m\u202e", "日本 📁"]), Untrusted),
        .. OtherRooms,
        .. Archives,
    ];

    private static void UVarints(byte[] input)
    {
        OperationStatus status = UVarint.TryRead(input, out ulong value, out int consumed);
        AssertStatus(status, consumed, input);
        for (int split = 0; split <= Math.Min(input.Length, 10); split++)
        {
            var reader = new SequenceReader<byte>(Split(input, split));
            Assert.AreEqual(status, UVarint.TryRead(ref reader, out ulong same));
            Assert.AreEqual((value, (long)consumed), (same, reader.Consumed));
        }

        if (status == OperationStatus.Done)
        {
            byte[] encoded = new byte[UVarint.SizeOf(value)];
            Assert.AreEqual(consumed, UVarint.Write(encoded, value));
            Assert.IsTrue(input.AsSpan(0, consumed).SequenceEqual(encoded), "one form only");
        }
    }

    private static void Protobuf(byte[] input)
    {
        var reader = new ProtobufReader(input);
        while (!reader.IsAtEnd && reader.TryReadTag(out _, out WireType type))
        {
            int before = reader.Position;
            if (!reader.TrySkip(type))
            {
                break;
            }

            Assert.IsGreaterThan(before, reader.Position);
        }

        Assert.IsLessThanOrEqualTo(input.Length, reader.Position);
    }

    private static void MultibaseText(byte[] input)
    {
        string text = Text(input);
        if (Multibase.TryDecode(text, out byte[] bytes))
        {
            Assert.AreEqual(text, Multibase.Encode((MultibaseEncoding)text[0], bytes), ignoreCase: true);
        }
    }

    private static void PercentText(byte[] input)
    {
        if (PercentEncoding.TryDecode(Text(input), out byte[] bytes))
        {
            Assert.IsTrue(PercentEncoding.TryDecode(PercentEncoding.Encode(bytes), out byte[] same) && same.AsSpan().SequenceEqual(bytes));
        }
    }

    private static void Multihashes(byte[] input)
    {
        OperationStatus status = Multihash.TryRead(input, out ulong code, out ReadOnlySpan<byte> digest, out int consumed);
        AssertStatus(status, consumed, input);
        if (status == OperationStatus.Done)
        {
            Assert.IsTrue(Multihash.Create(code, digest).AsSpan().SequenceEqual(input.AsSpan(0, consumed)));
            Assert.IsFalse(Multihash.Verify(code, digest, [1, 2, 3, 4, 5, 6, 7]) && code != Multihash.Identity);
        }
    }

    private static void Cids(byte[] input)
    {
        OperationStatus status = Cid.TryRead(input, out Cid cid, out int consumed);
        AssertStatus(status, consumed, input);
        if (status != OperationStatus.Done)
        {
            Assert.IsTrue(cid.IsEmpty);
            return;
        }

        Assert.IsTrue(cid.AsSpan().SequenceEqual(input.AsSpan(0, consumed)));
        for (int cut = 0; cut < consumed; cut++)
        {
            Assert.AreEqual(OperationStatus.NeedMoreData, Cid.TryRead(input.AsSpan(0, cut), out _, out _));
        }

        Assert.AreEqual(cid, Cid.Parse(cid.ToString()));
        Assert.AreEqual(cid.Key, cid.ToVersion1().Key);
        Assert.IsTrue(Cid.TryCreate(cid.Version, cid.Codec, cid.MultihashSpan, out Cid same) && same == cid);
        Assert.IsTrue(cid.Key.ToArray().AsSpan().SequenceEqual(cid.MultihashSpan));
        Assert.AreEqual(BlockVerification.IsAccepted(cid, out string? why), why is null);
    }

    private static void CidTexts(byte[] input)
    {
        string text = Text(input);
        if (Cid.TryParse(text, out Cid cid))
        {
            Assert.AreEqual(cid, Cid.Parse(cid.ToString()));
        }
        else
        {
            AssertSentence(Assert.ThrowsExactly<FormatException>(() => Cid.Parse(text)).Message);
        }
    }

    private static void Multiaddresses(byte[] input)
    {
        if (!Multiaddress.TryFromBytes(input, out Multiaddress? address))
        {
            return;
        }

        Assert.IsTrue(address.AsSpan().SequenceEqual(input));
        string text = address.ToString();
        Assert.IsFalse(text.Any(char.IsControl), "no control character reaches a log");
        Assert.AreEqual(address, Multiaddress.Parse(text), text);
        Use(address);
    }

    private static void MultiaddressTexts(byte[] input)
    {
        string text = Text(input);
        if (Multiaddress.TryParse(text, null, out Multiaddress? address))
        {
            Assert.AreEqual(address, Multiaddress.Parse(address.ToString()));
            Assert.IsTrue(Multiaddress.TryFromBytes(address.AsSpan(), out _));
            Use(address);
        }
        else
        {
            AssertSentence(Assert.ThrowsExactly<FormatException>(() => Multiaddress.Parse(text)).Message);
        }
    }

    private static void Use(Multiaddress address)
    {
        bool hasEndPoint = address.TryGetEndPoint(out IPEndPoint? endPoint);
        bool hasName = address.TryGetDnsHost(out _, out _, out _);
        Assert.IsFalse(hasEndPoint && hasName);
        Assert.AreEqual(hasEndPoint, endPoint is not null);
        AddressScope scope = address.Scope;
        bool mayDial = AddressPolicy.MayDial(address, AddressOrigin.Peer, []);
        Assert.IsFalse(mayDial && scope is AddressScope.Loopback or AddressScope.Private or AddressScope.LinkLocal);
        if (address.WithoutPeerId() is { PeerId: null } without && without != address)
        {
            Assert.AreEqual(address, without.WithPeerId(address.PeerId!.Value));
        }
    }

    private static void LinkTexts(byte[] input)
    {
        string text = Text(input);
        if (!ShareLink.TryParse(text, null, out ShareLink? link))
        {
            AssertSentence(Assert.ThrowsExactly<FormatException>(() => ShareLink.Parse(text)).Message);
            return;
        }

        Assert.IsLessThanOrEqualTo(LinkHints.MaxRead, link.Peers.Count);
        Assert.IsFalse(link.ToString().Any(char.IsControl));
        if (link.Path is null)
        {
            Assert.AreEqual(link, ShareLink.Parse(link.ToUriString()));
        }
    }

    private static void HintBytes(byte[] input)
    {
        if (LinkHints.TryDecode(Text(input), out byte[]? key, out List<PeerHint> peers))
        {
            Assert.IsTrue(key is null or { Length: LinkHints.KeyBytes });
            string encoded = LinkHints.Encode(key, peers);
            Assert.IsTrue(LinkHints.TryDecode(encoded, out byte[]? sameKey, out List<PeerHint> same));
            CollectionAssert.AreEqual(peers, same);
            Assert.IsTrue(key.AsSpan().SequenceEqual(sameKey));
        }
    }

    private static void PeerIds(byte[] input)
    {
        if (PeerId.TryFromBytes(input, out PeerId id))
        {
            Assert.IsTrue(id.AsSpan().SequenceEqual(input));
            Assert.AreEqual(id, PeerId.Parse(id.ToString()));
            Assert.AreEqual(id, PeerId.Parse(id.ToCidString()));
            if (id.TryGetPublicKey(out PublicKey? key))
            {
                Assert.AreEqual(id, key.ToPeerId());
            }
        }
    }

    private static void PeerIdTexts(byte[] input)
    {
        if (PeerId.TryParse(Text(input), null, out PeerId id))
        {
            Assert.AreEqual(id, PeerId.Parse(id.ToString()));
        }
    }

    private static void PublicKeys(byte[] input)
    {
        if (PublicKey.TryDecode(input, out PublicKey? key, out string? error))
        {
            Assert.IsTrue(key.Encode().AsSpan().SequenceEqual(input), "one form only");
            Assert.IsFalse(key.Verify(input, new byte[64]));
        }
        else
        {
            AssertSentence(error);
        }
    }

    private static void PrivateKeys(byte[] input)
    {
        if (IdentityKey.TryDecodePrivateKey(input, out IdentityKey? key, out string? error))
        {
            using (key)
            {
                Assert.AreEqual(key.PeerId, key.PublicKey.ToPeerId());
            }
        }
        else
        {
            AssertSentence(error);
        }
    }

    private static void Untrusted(byte[] input)
    {
        string cleaned = UntrustedText.Clean(Text(input));
        Assert.IsFalse(cleaned.Any(char.IsControl));
        Assert.AreEqual(cleaned[..Math.Min(cleaned.Length, UntrustedText.MaxChars)], UntrustedText.Clean(cleaned[..Math.Min(cleaned.Length, UntrustedText.MaxChars)]));
    }

    private static void AssertStatus(OperationStatus status, int consumed, byte[] input)
    {
        Assert.AreEqual(status == OperationStatus.Done, consumed > 0);
        Assert.IsLessThanOrEqualTo(input.Length, consumed);
    }

    private static void AssertSentence(string? message) => Assert.IsFalse(string.IsNullOrWhiteSpace(message));

    private static byte[][] Texts(IEnumerable<string> texts) => [.. texts.Select(Bytes)];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    // damaged UTF-8 becomes text with every kind of character in it, as a terminal or a clipboard would hand over
    private static string Text(byte[] input) => input.Length > 0 && input[^1] % 7 == 0 ? Encoding.Latin1.GetString(input) : Encoding.UTF8.GetString(input);

    private static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        var first = new Segment(bytes.AsMemory(0, at), 0);
        Segment second = first.Append(bytes.AsMemory(at));
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex) => (Memory, RunningIndex) = (memory, runningIndex);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
