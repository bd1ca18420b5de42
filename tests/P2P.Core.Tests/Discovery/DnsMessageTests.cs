using System.Net;
using P2P.Core.Discovery;
using P2P.Testing;

namespace P2P.Core.Tests.Discovery;

/// <summary>Goal: messages are read as they were written, and nothing that a stranger sends breaks the reader or is believed.</summary>
[TestClass]
public sealed class DnsMessageTests
{
    [TestMethod]
    public void A_query_for_peers_has_the_bytes_that_others_send()
    {
        // one question, id 0, PTR of class IN
        byte[] expected = Convert.FromHexString("000000000001000000000000" + "045f703270" + "045f756470" + "056c6f63616c" + "00" + "000c" + "0001");
        CollectionAssert.AreEqual(expected, DnsMessageWriter.Write(PeerService.Query()));
    }

    [TestMethod]
    public void What_is_written_is_read()
    {
        var message = new DnsMessage
        {
            Id = 7,
            IsResponse = true,
            Questions = [new DnsQuestion("_p2p._udp.local", DnsType.Ptr, WantsUnicast: true)],
            Answers =
            [
                new DnsRecord("_p2p._udp.local", DnsType.Ptr, 120) { Target = "abc._p2p._udp.local" },
                new DnsRecord("abc._p2p._udp.local", DnsType.Txt, 120) { Texts = [[.. "dnsaddr=/ip4/10.0.0.1"u8], [.. new byte[255]]] },
            ],
            Additionals =
            [
                new DnsRecord("abc._p2p._udp.local", DnsType.Srv, 60) { Target = "abc.local", Port = 4001, IsUnique = true },
                new DnsRecord("abc.local", DnsType.A, 60) { Address = IPAddress.Parse("10.0.0.1") },
                new DnsRecord("abc.local", DnsType.Aaaa, 60) { Address = IPAddress.Parse("fd00::1") },
            ],
        };
        byte[] bytes = DnsMessageWriter.Write(message);
        Assert.IsTrue(DnsMessageReader.TryRead(bytes, out DnsMessage? read));
        CollectionAssert.AreEqual(message.Questions.ToArray(), read.Questions.ToArray());
        Assert.AreEqual((message.Id, message.IsResponse), (read.Id, read.IsResponse));
        Assert.HasCount(2, read.Answers);
        Assert.AreEqual(message.Answers[0] with { Texts = read.Answers[0].Texts }, read.Answers[0]);
        CollectionAssert.AreEqual(message.Answers[1].Texts[1], read.Answers[1].Texts[1]);
        for (int i = 0; i < 3; i++)
            Assert.AreEqual(message.Additionals[i] with { Texts = read.Additionals[i].Texts }, read.Additionals[i]);
        Assert.IsLessThan(DnsMessageWriter.Write(message with { Additionals = [] }).Length + 100, bytes.Length, "names are written once");
    }

    [TestMethod]
    [DataRow("c00c", DisplayName = "a pointer to itself")]
    [DataRow("c00e" + "0161" + "c00c", DisplayName = "a pointer ahead")]
    [DataRow("0161" + "c00c", DisplayName = "a pointer to the label before it")]
    [DataRow("4161", DisplayName = "a label of an unknown kind")]
    [DataRow("3f61", DisplayName = "a label that is longer than the message")]
    [DataRow("0161", DisplayName = "a name without an end")]
    public void Names_that_lead_nowhere_are_refused(string name)
    {
        byte[] bytes = [.. Convert.FromHexString("000000000001000000000000"), .. Convert.FromHexString(name), .. Convert.FromHexString("000c0001")];
        Assert.IsFalse(DnsMessageReader.TryRead(bytes, out _));
    }

    [TestMethod]
    public void A_name_longer_than_255_bytes_is_refused_however_it_is_put_together()
    {
        List<byte> bytes = [.. Convert.FromHexString("000000000001000100000000")];
        for (int i = 0; i < 4; i++)
            bytes.AddRange([60, .. new byte[60]]);
        bytes.AddRange([0, 0, 12, 0, 1]);
        Assert.IsFalse(DnsMessageReader.TryRead([.. bytes, 20, .. new byte[20], 0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 0, 0, 0], out _));
        Assert.IsTrue(DnsMessageReader.TryRead([.. bytes, 9, .. new byte[9], 0xc0, 12, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0], out _), "254 bytes are a name");
    }

    [TestMethod]
    public void Counts_that_say_more_than_is_there_are_refused()
    {
        byte[] bytes = DnsMessageWriter.Write(PeerService.Query());
        for (int section = 4; section < 12; section += 2)
        {
            byte[] changed = [.. bytes];
            (changed[section], changed[section + 1]) = (0xff, 0xff);
            Assert.IsFalse(DnsMessageReader.TryRead(changed, out _));
            (changed[section], changed[section + 1]) = (0, (byte)(bytes[section + 1] + 1));
            Assert.IsFalse(DnsMessageReader.TryRead(changed, out _));
        }
    }

    [TestMethod]
    public void Whatever_comes_is_read_or_refused()
    {
        var random = new SeededRandom(1);
        PeerId peer = PeerId.Parse("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");
        byte[] sound = DnsMessageWriter.Write(new PeerService("abc").Announce(peer, [Multiaddress.Parse("/ip4/10.0.0.1/tcp/1"), Multiaddress.Parse("/ip6/fd00::1/tcp/1")]));
        int read = 0;
        for (int i = 0; i < 200_000; i++)
        {
            byte[] changed = [.. sound.AsSpan(0, random.Next(2) == 0 ? sound.Length : random.Next(sound.Length) + 1)];
            for (int j = random.Next(4); j >= 0; j--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            if (!DnsMessageReader.TryRead(changed, out DnsMessage? message))
                continue;
            read++;
            PeerService.ReadPeers(message);
        }

        Assert.IsGreaterThan(1_000, read);
        Assert.IsFalse(DnsMessageReader.TryRead(new byte[DnsMessageReader.MaxMessageBytes + 1], out _));
    }
}
