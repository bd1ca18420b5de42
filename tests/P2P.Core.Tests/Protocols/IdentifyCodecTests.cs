using Google.Protobuf;
using P2P.Core.Connections;
using P2P.Core.Identity;
using P2P.Core.Protocols;
using P2P.Testing;

namespace P2P.Core.Tests.Protocols;

[TestClass]
public sealed class IdentifyCodecTests
{
    private static readonly Multiaddress Address = Multiaddress.Parse("/ip4/1.2.3.4/tcp/5");

    [TestMethod]
    public void What_is_encoded_is_decoded()
    {
        using IdentityKey key = IdentityKey.Generate();
        IReadOnlyList<byte[]> messages = IdentifyCodec.Encode(NewOwn(key, ["/a", "/b"], [Address]));
        Assert.HasCount(1, messages);
        Assert.IsTrue(IdentifyCodec.TryDecode(messages, key.PeerId, out RemoteInfo? info));
        Assert.IsTrue(info.IsSigned);
        Assert.AreEqual("p2p-files/1.2", info.AgentVersion);
        Assert.AreEqual("ipfs/0.1.0", info.ProtocolVersion);
        Assert.IsTrue(info.Protocols.SetEquals(["/a", "/b"]));
        Assert.AreEqual(Address, Assert.ContainsSingle(info.ListenAddresses));
        Assert.AreEqual(Multiaddress.Parse("/ip4/9.9.9.9/tcp/9"), info.ObservedAddress);
    }

    [TestMethod]
    public void A_long_identification_is_split_and_never_over_4_KiB_a_message()
    {
        using IdentityKey key = IdentityKey.Generate();
        Multiaddress[] many = [.. Enumerable.Range(0, 500).Select(i => Multiaddress.Parse($"/ip6/2600::{i:x}/tcp/{i + 1}"))];
        string[] protocols = [.. Enumerable.Range(0, 60).Select(i => $"/a/protocol/with/a/long/name/{i}")];
        IReadOnlyList<byte[]> messages = IdentifyCodec.Encode(NewOwn(key, protocols, many));
        Assert.HasCount(2, messages);
        Assert.IsTrue(messages.All(message => message.Length <= 4096));
        Assert.IsTrue(IdentifyMessage.Parser.ParseFrom(messages[1]).HasSignedPeerRecord);
        Assert.IsFalse(IdentifyMessage.Parser.ParseFrom(messages[0]).HasSignedPeerRecord);
        Assert.IsTrue(IdentifyCodec.TryDecode(messages, key.PeerId, out RemoteInfo? info));
        Assert.HasCount(60, info.Protocols);
        Assert.IsGreaterThan(20, info.ListenAddresses.Count);
    }

    [TestMethod]
    public void Messages_are_merged_in_order()
    {
        using IdentityKey key = IdentityKey.Generate();
        byte[][] parts =
        [
            new IdentifyMessage { AgentVersion = "old", Protocols = { "/a" } }.ToByteArray(),
            new IdentifyMessage { AgentVersion = "new", Protocols = { "/b" }, ListenAddrs = { ByteString.CopyFrom(Address.ToArray()) } }.ToByteArray(),
        ];
        Assert.IsTrue(IdentifyCodec.TryDecode(parts, key.PeerId, out RemoteInfo? info));
        Assert.AreEqual("new", info.AgentVersion);
        Assert.IsTrue(info.Protocols.SetEquals(["/a", "/b"]));
        Assert.IsFalse(info.IsSigned);
        Assert.HasCount(1, info.ListenAddresses);
    }

    [TestMethod]
    public void Another_peers_key_is_refused_and_its_record_and_addresses_are_ignored()
    {
        using IdentityKey key = IdentityKey.Generate();
        using IdentityKey other = IdentityKey.Generate();
        byte[] foreign = new IdentifyMessage { PublicKey = ByteString.CopyFrom(other.PublicKey.Encode()) }.ToByteArray();
        Assert.IsFalse(IdentifyCodec.TryDecode([foreign], key.PeerId, out _));

        byte[] replayed = new IdentifyMessage
        {
            SignedPeerRecord = ByteString.CopyFrom(new PeerRecord(other.PeerId, 1, [Multiaddress.Parse("/ip4/6.6.6.6/tcp/6")]).Seal(other)),
            ListenAddrs =
            {
                ByteString.CopyFrom(Address.WithPeerId(key.PeerId).ToArray()),
                ByteString.CopyFrom(Address.WithPeerId(other.PeerId).ToArray()),
                ByteString.CopyFrom(1, 2, 3),
            },
        }.ToByteArray();
        Assert.IsTrue(IdentifyCodec.TryDecode([replayed], key.PeerId, out RemoteInfo? info));
        Assert.IsFalse(info.IsSigned);
        Assert.AreEqual(Address, Assert.ContainsSingle(info.ListenAddresses));
    }

    [TestMethod]
    public void Random_and_damaged_messages_never_throw()
    {
        SeededRandom random = new(3);
        using IdentityKey key = IdentityKey.Generate();
        byte[] good = IdentifyCodec.Encode(NewOwn(key, ["/a"], [Address]))[0];
        for (int i = 0; i < 5000; i++)
        {
            byte[] bad = [.. good[..random.Next(good.Length + 1)]];
            for (int flips = random.Next(4); flips > 0 && bad.Length > 0; flips--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            IdentifyCodec.TryDecode([bad], key.PeerId, out _);
        }
    }

    private static OwnInfo NewOwn(IdentityKey key, string[] protocols, Multiaddress[] addresses) => new()
    {
        Identity = key,
        AgentVersion = "p2p-files/1.2",
        Protocols = protocols,
        ListenAddresses = addresses,
        ObservedAddress = Multiaddress.Parse("/ip4/9.9.9.9/tcp/9"),
        Sequence = 1,
    };
}
