using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Node;
using P2P.Core.Primitives;

namespace P2P.Core.Tests.Node;

[TestClass]
public sealed class ShareLinkTests
{
    private const string CidText = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    private const string Version0Text = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    private const string PeerText = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
    private const string OtherPeerText = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";

    private static readonly Cid Root = Cid.Parse(CidText);
    private static readonly PeerId Peer = PeerId.Parse(PeerText);
    private static readonly PeerId OtherPeer = PeerId.Parse(OtherPeerText);
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    // the characters that no shell gives a meaning inside a word
    private static readonly SearchValues<char> Safe = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/#%");

    [TestMethod]
    public void A_link_has_exactly_these_bytes()
    {
        ShareLink link = ShareLink.Create(Root, "film one.mkv", [Hint(Peer, "/ip4/192.0.2.7/tcp/24817")]);

        // 12 len: field 2, one peer; 0a 26: its id, 38 bytes; 12 08: one address, ip4 192.0.2.7 tcp 24817
        byte[] hints = [0x12, 0x32, 0x0a, 0x26, .. Peer.ToArray(), 0x12, 0x08, 0x04, 192, 0, 2, 7, 0x06, 0x60, 0xf1];
        Assert.AreEqual($"p2p://{CidText}/film%20one.mkv#{Multibase.EncodeBare(MultibaseEncoding.Base64Url, hints)}", link.ToUriString());
    }

    [TestMethod]
    public void What_is_printed_is_read_back()
    {
        Prop.ForAll<string, byte[], ushort>((label, data, port) =>
        {
            // a lone surrogate has no UTF-8 form and cannot be a file name
            string clean = new([.. Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(label ?? "")).Take(60)]);
            clean = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(clean)) is { Length: > 0 } text ? text : "x";
            ShareLink link = ShareLink.Create(Cid.OfRaw(data), clean, [Hint(Peer, $"/ip4/10.0.0.1/tcp/{port}", "/ip6/2001:db8::1/tcp/1"), Hint(OtherPeer, "/dns4/example.com/tcp/1")]);
            ShareLink read = ShareLink.Parse(link.ToUriString());
            return read == link && read.GetHashCode() == link.GetHashCode() && read.Label == clean && !link.ToUriString().AsSpan().ContainsAnyExcept(Safe);
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    public void A_private_link_holds_its_key_and_hides_it_in_messages()
    {
        ShareLink link = ShareLink.CreatePrivate(Root, Key, [Hint(Peer, "/ip4/192.0.2.7/tcp/1")]);
        ShareLink read = ShareLink.Parse(link.ToUriString());
        Assert.AreEqual(link, read);
        Assert.IsTrue(read.HasKey);
        Assert.IsTrue(read.Key.SequenceEqual(Key));
        Assert.AreEqual("~private", read.Label);
        Assert.StartsWith($"p2p://{CidText}/~private#CiABAgMEBQYHCAkKCwwNDg8Q", link.ToUriString());

        Assert.AreEqual("p2p://bafkreifz...5e/~private#...", link.ToString());
        Assert.AreEqual(link.ToString(), $"{link}");
        Assert.AreEqual(link.ToString(), string.Create(null, $"{link:U}"));
    }

    [TestMethod]
    public void Two_links_that_differ_only_in_their_key_are_not_equal()
    {
        byte[] other = [.. Key];
        other[^1] ^= 1;
        Assert.AreNotEqual(ShareLink.CreatePrivate(Root, Key, []), ShareLink.CreatePrivate(Root, other, []));
        Assert.AreEqual(ShareLink.CreatePrivate(Root, Key, []), ShareLink.CreatePrivate(Root, Key, []));
    }

    [TestMethod]
    [DataRow($"p2p://{CidText}/~private", "this link has lost its key (the part after #)")]
    [DataRow($"p2p://{CidText}/~private#", "this link has lost its key (the part after #)")]
    [DataRow($"p2p://{CidText}/%7Eprivate", "this link has lost its key (the part after #)")]
    [DataRow($"p2p://{CidText}/~private#EgA", "this link has lost its key (the part after #)")]
    [DataRow($"p2p://{CidText}/~private#CiABAgMEBQYH", "this link has lost its key (the part after #)")]
    [DataRow($"p2p://{CidText}/x#CiABAgMEBQYH", "the part after # is damaged")]
    [DataRow($"p2p://{CidText}/x#CgEB", "the part after # is damaged")]
    [DataRow($"p2p://{CidText}/x#!", "the part after # is damaged")]
    [DataRow($"p2p://{CidText}/x#E", "the part after # is damaged")]
    [DataRow($"p2p://{CidText}/x/y", "cannot have a / in it")]
    [DataRow($"p2p://{CidText}/x%2", "the name in the link is damaged")]
    [DataRow($"p2p://{CidText}?peer=/ip4/192.0.2.7/tcp/1", "a peer in the link is no address")]
    [DataRow($"p2p://{CidText}?peer=/ip4/192.0.2.7/tcp/1/p2p/{OtherPeerText}/p2p/{PeerText}", "a peer in the link is no address")]
    [DataRow($"p2p://{CidText}?peer=x", "a peer in the link is no address")]
    [DataRow("p2p://bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5/x", "it has 58 characters where 59 are usual")]
    [DataRow("p2p:///x", "a content id is missing")]
    [DataRow("ipfs://film.mkv", "this is no content id")]
    [DataRow($"ipfs://{CidText}/a%2", "the path in the link is damaged")]
    [DataRow("bafkreifz1ut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", "character 10 of 59")]
    [DataRow("lan:film.mkv", "looked up on this network")]
    [DataRow("ipns://example.com", "IPNS names cannot be fetched")]
    [DataRow("/ipns/example.com", "IPNS names cannot be fetched")]
    [DataRow("https://example.com/x", "this is no link; one looks like")]
    [DataRow("film.mkv", "this is no content id")]
    [DataRow("", "a link is missing")]
    [DataRow("   ", "a link is missing")]
    public void A_damaged_link_is_refused_with_what_is_wrong(string text, string why)
    {
        Assert.IsFalse(ShareLink.TryParse(text, out ShareLink? link));
        Assert.IsNull(link);
        FormatException error = Assert.ThrowsExactly<FormatException>(() => ShareLink.Parse(text));
        Assert.Contains(why, error.Message);
    }

    [TestMethod]
    [DataRow(CidText, null, null)]
    [DataRow($"  {CidText}\n", null, null)]
    [DataRow($"p2p://{CidText}", null, null)]
    [DataRow($"P2P://{CidText}/", null, null)]
    [DataRow($"p2p://{CidText}/film%20one.mkv", "film one.mkv", null)]
    [DataRow($"p2p://{CidText}/film one.mkv", "film one.mkv", null)]
    [DataRow($"p2p://{CidText}/%E6%97%A5", "日", null)]
    [DataRow($"ipfs://{CidText}", null, null)]
    [DataRow($"ipfs://{CidText}/", null, null)]
    [DataRow($"ipfs://{CidText}/a/b%20c?download=true#top", null, "a/b c")]
    [DataRow($"/ipfs/{CidText}", null, null)]
    [DataRow($"/ipfs/{CidText}/a/b%20c#1?", null, "a/b%20c#1?")]
    public void The_other_forms_are_read(string text, string? label, string? path)
    {
        ShareLink link = ShareLink.Parse(text);
        Assert.AreEqual((Root, label, path, false, 0), (link.Root, link.Label, link.Path, link.HasKey, link.Peers.Count));
    }

    [TestMethod]
    [DataRow($"/ipfs/{Version0Text}")]
    [DataRow($"ipfs://{Version0Text}")]
    [DataRow(Version0Text)]
    public void A_version_0_id_is_taken_and_printed_as_version_1(string text)
    {
        ShareLink link = ShareLink.Parse(text);
        Assert.AreEqual(1, link.Root.Version);
        Assert.AreEqual(link, ShareLink.Parse(link.ToUriString()));
    }

    [TestMethod]
    [DataRow($"p2p://{CidText}/x?peer=/ip4/192.0.2.7/tcp/1/p2p/{PeerText}&peer=/ip6/2001:db8::1/tcp/2/p2p/{PeerText}&peer=/p2p/{OtherPeerText}")]
    [DataRow($"p2p://{CidText}/x?a=b&peer=%2Fip4%2F192.0.2.7%2Ftcp%2F1%2Fp2p%2F{PeerText}&peer=/ip6/2001:db8::1/tcp/2/ipfs/{PeerText}&peer=/p2p/{OtherPeerText}")]
    public void Peers_may_stand_in_the_query(string text)
    {
        IReadOnlyList<PeerHint> expected = [Hint(Peer, "/ip4/192.0.2.7/tcp/1", "/ip6/2001:db8::1/tcp/2"), Hint(OtherPeer)];
        CollectionAssert.AreEqual(expected.ToArray(), ShareLink.Parse(text).Peers.ToArray());
        CollectionAssert.AreEqual(expected.ToArray(), ShareLink.Parse(text.Replace("p2p://", "ipfs://", StringComparison.Ordinal)).Peers.ToArray());
    }

    [TestMethod]
    public void Each_peer_stands_once_public_addresses_first_and_eight_at_most()
    {
        ShareLink link = ShareLink.Create(
            Root,
            "x",
            [
                Hint(Peer, "/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/8.8.8.8/tcp/1", "/ip4/0.0.0.0/tcp/1", "/ip6zone/2/ip6/fe80::1/tcp/1"),
                Hint(OtherPeer, "/ip4/9.9.9.9/tcp/1"),
                Hint(Peer, $"/ip4/8.8.8.8/tcp/1/p2p/{PeerText}", "/ip4/169.254.1.1/tcp/1"),
            ]);
        CollectionAssert.AreEqual(
            (PeerHint[])[Hint(Peer, "/ip4/8.8.8.8/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/169.254.1.1/tcp/1"), Hint(OtherPeer, "/ip4/9.9.9.9/tcp/1")],
            link.Peers.ToArray());

        ShareLink many = ShareLink.Create(Root, "x", [Hint(Peer, [.. Enumerable.Range(1, 20).Select(i => $"/ip4/10.0.0.{i}/tcp/1")])]);
        CollectionAssert.AreEqual(
            Enumerable.Range(1, 8).Select(i => $"/ip4/10.0.0.{i}/tcp/1").ToArray(),
            many.Peers.Single().Addresses.Select(address => address.ToString()).ToArray());
    }

    [TestMethod]
    public void Loopback_is_given_only_when_there_is_nothing_else()
    {
        Assert.AreEqual("/ip4/127.0.0.1/tcp/1", ShareLink.Create(Root, "x", [Hint(Peer, "/ip4/127.0.0.1/tcp/1")]).Peers[0].Addresses.Single().ToString());
        Assert.AreEqual("/ip4/10.0.0.1/tcp/1", ShareLink.Create(Root, "x", [Hint(Peer, "/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1")]).Peers[0].Addresses.Single().ToString());
    }

    [TestMethod]
    public void A_link_stays_short_whatever_is_listened_on()
    {
        string[] addresses = [.. Enumerable.Range(1, 8).Select(i => $"/dns4/a-rather-long-name-{i}.of-a-host.example.com/tcp/24817"), "/ip4/8.8.8.8/tcp/1"];
        foreach (int count in (int[])[0, 1, 4, 9])
        {
            const string Label = "name";
            ShareLink open = ShareLink.Create(Root, Label, [Hint(Peer, addresses[..count]), Hint(OtherPeer, addresses)]);
            ShareLink closed = ShareLink.CreatePrivate(Root, Key, [Hint(Peer, addresses[..count])]);
            Assert.IsLessThanOrEqualTo(ShareLink.MaxCharsBesidesLabel, open.ToUriString().Length - Label.Length);
            Assert.IsLessThanOrEqualTo(ShareLink.MaxCharsBesidesLabel, closed.ToUriString().Length - "~private".Length);
            Assert.AreEqual(Peer, open.Peers[0].Peer);
            Assert.AreEqual(count > 0, open.Peers[0].Addresses.Count > 0);
        }

        // what fits exactly is not dropped: two IPv6 and four IPv4 addresses
        ShareLink usual = ShareLink.Create(
            Root,
            "x",
            [Hint(Peer, "/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::2/tcp/1", "/ip4/8.8.8.8/tcp/1", "/ip4/9.9.9.9/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/10.0.0.2/tcp/1")]);
        Assert.HasCount(6, usual.Peers[0].Addresses);
    }

    [TestMethod]
    public void Hints_of_a_later_version_are_read_as_far_as_they_are_known()
    {
        // field 9 in the hints, field 3 in the peer, an address of an unknown protocol (0x7f)
        byte[] peer = [0x0a, 0x26, .. Peer.ToArray(), 0x1a, 0x01, 0x55, 0x12, 0x01, 0x7f, 0x12, 0x08, 0x04, 192, 0, 2, 7, 0x06, 0x00, 0x01];
        byte[] hints = [0x48, 0x01, 0x12, (byte)peer.Length, .. peer];
        ShareLink link = ShareLink.Parse($"p2p://{CidText}/x#{Multibase.EncodeBare(MultibaseEncoding.Base64Url, hints)}");
        Assert.AreEqual(Hint(Peer, "/ip4/192.0.2.7/tcp/1"), link.Peers.Single());
    }

    [TestMethod]
    public void An_address_of_another_peer_is_left_out()
    {
        PeerHint hint = Hint(Peer, $"/ip4/192.0.2.7/tcp/1/p2p/{OtherPeerText}", $"/ip4/192.0.2.8/tcp/1/p2p/{OtherPeerText}/p2p/{PeerText}", $"/ip4/192.0.2.9/tcp/1/p2p/{PeerText}", $"/p2p/{PeerText}");
        Assert.AreEqual(Hint(Peer, "/ip4/192.0.2.9/tcp/1"), ShareLink.Create(Root, "x", [hint]).Peers.Single());
        Assert.AreEqual(Hint(Peer, "/ip4/192.0.2.9/tcp/1"), ShareLink.Parse($"p2p://{CidText}/x#{LinkHints.Encode([], [hint])}").Peers.Single());
    }

    [TestMethod]
    public void What_a_link_may_make_us_hold_is_bounded()
    {
        IReadOnlyList<PeerHint> peers =
            [.. Enumerable.Range(0, 60).Select(i => new PeerHint(PeerId.FromBytes([0x12, 0x20, .. new byte[31], (byte)i]), [Multiaddress.Parse($"/ip4/8.8.8.8/tcp/{i + 1}")]))];
        ShareLink link = ShareLink.Parse($"p2p://{CidText}/x#{LinkHints.Encode([], peers)}");
        Assert.HasCount(LinkHints.MaxRead, link.Peers);
        Assert.AreEqual(LinkHints.MaxRead, link.Peers.Sum(hint => hint.Addresses.Count));

        Assert.IsFalse(ShareLink.TryParse($"p2p://{CidText}/x#{new string('A', LinkHints.MaxChars + 4)}", out _));
        Assert.IsFalse(ShareLink.TryParse($"p2p://{CidText}/{new string('x', ShareLink.MaxLabelBytes + 1)}", out _));
        Assert.IsFalse(ShareLink.TryParse($"ipfs://{CidText}/{new string('x', ShareLinkText.MaxPathChars + 1)}", out _));
        Assert.IsFalse(ShareLink.TryParse(new string('x', ShareLinkText.MaxChars + 1), out _));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("~private")]
    public void A_public_share_cannot_take_a_reserved_name(string label)
    {
        Assert.ThrowsExactly<ArgumentException>(() => ShareLink.Create(Root, label, []));
        Assert.ThrowsExactly<ArgumentException>(() => ShareLink.Create(Root, new string('é', 128), []));
        Assert.IsNotNull(ShareLink.Create(Root, new string('é', 127), []));
    }

    [TestMethod]
    public void A_message_about_a_link_has_no_character_that_a_terminal_obeys()
    {
        ShareLink link = ShareLink.Create(Root, "a\u001b[31m\u202e" + new string('b', 100), []);
        Assert.IsFalse(link.ToString().AsSpan().ContainsAnyExcept(Safe));
        Assert.IsLessThan(80, link.ToString().Length);
    }

    private static PeerHint Hint(PeerId peer, params string[] addresses) => new(peer, [.. addresses.Select(Multiaddress.Parse)]);
}
