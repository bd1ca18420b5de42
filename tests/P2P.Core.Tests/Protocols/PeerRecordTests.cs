using Google.Protobuf;
using P2P.Core.Identity;
using P2P.Core.Protocols;

namespace P2P.Core.Tests.Protocols;

[TestClass]
public sealed class PeerRecordTests
{
    private static readonly Multiaddress Address = Multiaddress.Parse("/ip4/1.2.3.4/tcp/5");

    [TestMethod]
    public void A_sealed_record_opens_with_what_was_sealed()
    {
        using IdentityKey key = IdentityKey.Generate();
        byte[] sealedRecord = new PeerRecord(key.PeerId, 7, [Address]).Seal(key);
        Assert.IsTrue(PeerRecord.TryOpen(sealedRecord, out PeerRecord? record));
        Assert.AreEqual(key.PeerId, record.Peer);
        Assert.AreEqual(7UL, record.Sequence);
        Assert.AreEqual(Address, Assert.ContainsSingle(record.Addresses));
    }

    [TestMethod]
    public void The_signature_covers_domain_type_and_payload_as_deployed_nodes_do_it()
    {
        // checked against the wire document by hand: lengths as varints in front of each part, type 03 01
        using IdentityKey key = IdentityKey.FromSeed(new byte[32]);
        EnvelopeMessage envelope = EnvelopeMessage.Parser.ParseFrom(new PeerRecord(key.PeerId, 1, [Address]).Seal(key));
        CollectionAssert.AreEqual(new byte[] { 3, 1 }, envelope.PayloadType.ToByteArray());
        byte[] signed = [18, .. "libp2p-peer-record"u8, 2, 3, 1, (byte)envelope.Payload.Length, .. envelope.Payload];
        Assert.IsTrue(key.PublicKey.Verify(signed, envelope.Signature.Span));
    }

    [TestMethod]
    public void A_record_with_any_bit_changed_does_not_open_as_something_else()
    {
        using IdentityKey key = IdentityKey.Generate();
        byte[] good = new PeerRecord(key.PeerId, 7, [Address]).Seal(key);
        for (int i = 0; i < good.Length * 8; i += 3)
        {
            byte[] bad = [.. good];
            bad[i / 8] ^= (byte)(1 << (i % 8));
            if (PeerRecord.TryOpen(bad, out PeerRecord? record))
            {
                Assert.Fail($"Bit {i} changed and it still opened as {record}.");
            }
        }

        for (int length = 0; length < good.Length; length++)
        {
            Assert.IsFalse(PeerRecord.TryOpen(good.AsSpan(0, length), out _));
        }
    }

    [TestMethod]
    public void A_record_about_another_peer_does_not_open()
    {
        using IdentityKey key = IdentityKey.Generate();
        using IdentityKey other = IdentityKey.Generate();
        Assert.IsFalse(PeerRecord.TryOpen(new PeerRecord(other.PeerId, 7, [Address]).Seal(key), out _));
        byte[] forAnotherUse = SignedEnvelope.Seal(key, "libp2p-relay-rsvp", [3, 1], new PeerRecordMessage { PeerId = ByteString.CopyFrom(key.PeerId.ToArray()) }.ToByteArray());
        Assert.IsFalse(PeerRecord.TryOpen(forAnotherUse, out _));
    }
}
