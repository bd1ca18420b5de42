using System.Globalization;
using System.Net;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using P2P.Core.Addresses;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Addresses;

[TestClass]
public sealed class MultiaddressTests
{
    private const string Peer = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";

    [TestMethod]
    [Vectors]
    public void The_good_texts_of_other_implementations_round_trip()
    {
        int count = 0;
        foreach (string text in Cases("good"))
        {
            Assert.IsTrue(Multiaddress.TryParse(text, out Multiaddress? address), text);
            Assert.IsTrue(Multiaddress.TryFromBytes(address.AsSpan(), out Multiaddress? same), text);
            Assert.AreEqual(address, same, text);
            Assert.AreEqual(address.ToString(), same.ToString(), text);

            // where a text has another usual form, that form stays as it is
            Assert.AreEqual(address, Multiaddress.Parse(address.ToString()), text);
            if (!text.Contains("ipfs", StringComparison.Ordinal) && !text.Contains("/p2p/k", StringComparison.Ordinal) && !text.Contains("/p2p/baf", StringComparison.Ordinal) &&
                !text.Contains("certhash", StringComparison.Ordinal) && !text.Contains("garlic32", StringComparison.Ordinal))
            {
                Assert.AreEqual(text.TrimEnd('/'), address.ToString());
            }

            count++;
        }

        Assert.AreEqual(93, count);
    }

    [TestMethod]
    [Vectors]
    public void The_bad_texts_of_other_implementations_are_refused()
    {
        int count = 0;
        foreach (string text in Cases("bad"))
        {
            Assert.IsFalse(Multiaddress.TryParse(text, out _), text);
            Assert.ThrowsExactly<FormatException>(() => Multiaddress.Parse(text), text);
            count++;
        }

        Assert.AreEqual(65, count);
    }

    [TestMethod]
    [Vectors]
    public void Texts_and_bytes_pair_as_in_other_implementations()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("multiaddr", "go-multiaddr-cases.json")));
        foreach (string group in (string[])["stringToBytes", "bytesToString"])
        {
            foreach (JsonElement pair in document.RootElement.GetProperty(group).EnumerateArray())
            {
                string text = pair.GetProperty("text").GetString()!;
                string hex = pair.GetProperty("hex").GetString()!;
                Assert.AreEqual(hex, Convert.ToHexStringLower(Multiaddress.Parse(text).ToArray()), text);
                Assert.IsTrue(Multiaddress.TryFromBytes(Convert.FromHexString(hex), out Multiaddress? address), text);
                Assert.AreEqual(text, address.ToString());
            }
        }
    }

    [TestMethod]
    [Vectors]
    public void The_protocols_are_those_of_the_registries()
    {
        Dictionary<int, (string Name, string Size)> registry = File.ReadLines(Vectors.Path("multiaddr", "protocols.csv")).Skip(1)
            .Select(line => line.Split(',')).Where(parts => parts[2].Trim() != "ipfs")
            .ToDictionary(parts => int.Parse(parts[0], CultureInfo.InvariantCulture), parts => (parts[2].Trim(), parts[1].Trim()));
        foreach (MultiaddressProtocol protocol in MultiaddressProtocol.All)
        {
            (string name, string size) = registry[protocol.Code];
            Assert.AreEqual(name, protocol.Name);
            if (protocol.Code != MultiaddressProtocol.MemoryCode)
            {
                Assert.AreEqual(size, protocol.Bytes == MultiaddressProtocol.Variable ? "V" : (protocol.Bytes * 8).ToString(CultureInfo.InvariantCulture), name);
            }
        }

        Assert.AreEqual(registry.Count, MultiaddressProtocol.All.Count);
    }

    [TestMethod]
    [Vectors]
    public void The_protocol_numbers_agree_with_multicodec()
    {
        HashSet<(string, int)> codecs = [.. File.ReadLines(Vectors.Path("multicodec", "table.csv")).Skip(1).Select(line => line.Split(','))
            .Where(parts => parts[1].Trim() == "multiaddr").Select(parts => (parts[0].Trim(), Convert.ToInt32(parts[2].Trim(), 16)))];
        foreach (MultiaddressProtocol protocol in MultiaddressProtocol.All.Where(protocol => protocol.Code != MultiaddressProtocol.MemoryCode))
        {
            Assert.Contains((protocol.Name, protocol.Code), codecs);
        }
    }

    [TestMethod]
    [DataRow("/ip6/2001:db8:0:0:1:0:0:1", "/ip6/2001:db8::1:0:0:1")]
    [DataRow("/ip6/2001:0db8:0:0:0:0:0:0", "/ip6/2001:db8::")]
    [DataRow("/ip6/0:0:0:0:0:0:0:0", "/ip6/::")]
    [DataRow("/ip6/1:0:0:2:0:0:0:3", "/ip6/1:0:0:2::3")]
    [DataRow("/ip6/1:2:3:4:5:6:0:7", "/ip6/1:2:3:4:5:6:0:7")]
    [DataRow("/ip6/::FFFF:1.2.3.4", "/ip6/::ffff:1.2.3.4")]
    [DataRow("/ip6/::1.2.3.4", "/ip6/::102:304")]
    [DataRow("/ip6/fe80::5efe:1.2.3.4", "/ip6/fe80::5efe:102:304")]
    [DataRow("/ipfs/" + Peer, "/p2p/" + Peer)]
    [DataRow("/ip4/1.2.3.4/tcp/80///", "/ip4/1.2.3.4/tcp/80")]
    public void Every_address_has_one_text(string text, string expected) => Assert.AreEqual(expected, Multiaddress.Parse(text).ToString());

    [TestMethod]
    [DataRow("/ip4/1")]
    [DataRow("/ip4/0x7f.0.0.1")]
    [DataRow("/ip4/010.0.0.1")]
    [DataRow("/ip4/1.2.3.4.5")]
    [DataRow("/ip4/1.2.3.256")]
    [DataRow("/ip4/ 1.2.3.4")]
    [DataRow("/ip6/[::1]")]
    [DataRow("/ip6/::1%lo")]
    [DataRow("/ip6/1.2.3.4")]
    [DataRow("/tcp/+80")]
    [DataRow("/tcp/ 80")]
    [DataRow("/ip4/1.2.3.4//tcp/80")]
    [DataRow("ip4/1.2.3.4")]
    [DataRow("/dns4/a\u001b[31m/tcp/1")]
    [DataRow("/TCP/1")]
    [DataRow("/p2p-circuit/p2p")]
    public void Texts_that_only_sockets_would_take_are_refused(string text) => Assert.IsFalse(Multiaddress.TryParse(text, out _));

    [TestMethod]
    [DataRow("", DisplayName = "nothing")]
    [DataRow("047f0000", DisplayName = "short ip4")]
    [DataRow("0610", DisplayName = "short tcp")]
    [DataRow("3603612f62", DisplayName = "slash in a name")]
    [DataRow("3600", DisplayName = "empty name")]
    [DataRow("36011b", DisplayName = "escape in a name")]
    [DataRow("3601ff", DisplayName = "name that is not UTF-8")]
    [DataRow("3605616263", DisplayName = "length over the end")]
    [DataRow("36ffffffffffffffff7f61", DisplayName = "huge length")]
    [DataRow("a5030212", DisplayName = "peer id cut")]
    [DataRow("860061", DisplayName = "protocol number longer than needed")]
    [DataRow("7f", DisplayName = "unknown protocol")]
    [DataRow("9003022f610610e1", DisplayName = "something after a path")]
    public void Malformed_bytes_are_refused(string hex) => Assert.IsFalse(Multiaddress.TryFromBytes(Convert.FromHexString(hex), out _));

    [TestMethod]
    public void An_address_cut_anywhere_is_another_address_or_none()
    {
        byte[] bytes = Multiaddress.Parse($"/dns4/example.com/tcp/443/p2p/{Peer}").ToArray();
        List<string> valid = [];
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            if (Multiaddress.TryFromBytes(bytes.AsSpan(0, cut), out Multiaddress? address))
            {
                valid.Add(address.ToString());
            }
        }

        CollectionAssert.AreEqual((string[])["/dns4/example.com", "/dns4/example.com/tcp/443"], valid);
    }

    [TestMethod]
    public void Addresses_over_the_limits_are_refused()
    {
        string parts = string.Concat(Enumerable.Repeat("/tls", Multiaddress.MaxComponents));
        Assert.IsTrue(Multiaddress.TryParse(parts, out _));
        Assert.IsFalse(Multiaddress.TryParse(parts + "/tls", out _));
        Assert.IsFalse(Multiaddress.TryParse("/dns/" + new string('a', Multiaddress.MaxBytes), out _));
        Assert.IsFalse(Multiaddress.TryParse("/" + new string('a', 1 << 20), out _));
    }

    [TestMethod]
    public void A_peer_at_the_end_comes_off_and_on()
    {
        Multiaddress with = Multiaddress.Parse($"/ip4/192.0.2.7/tcp/24817/p2p/{Peer}");
        Multiaddress without = Multiaddress.Parse("/ip4/192.0.2.7/tcp/24817");
        PeerId peer = PeerId.Parse(Peer);
        PeerId other = PeerId.Parse("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC");
        Assert.AreEqual(peer, with.PeerId);
        Assert.IsNull(without.PeerId);
        Assert.AreEqual(without, with.WithoutPeerId());
        Assert.AreSame(without, without.WithoutPeerId());
        Assert.AreEqual(with, without.WithPeerId(peer));
        Assert.AreEqual(other, with.WithPeerId(other).PeerId);

        Multiaddress relayed = Multiaddress.Parse($"/ip4/192.0.2.7/tcp/1/p2p/{other}/p2p-circuit/p2p/{Peer}");
        Assert.AreEqual((peer, true), (relayed.PeerId, relayed.IsRelayed));
        Assert.IsNull(relayed.WithoutPeerId().PeerId);
        Assert.IsFalse(with.IsRelayed);
    }

    [TestMethod]
    [DataRow("/ip4/192.0.2.7/tcp/24817", "192.0.2.7:24817")]
    [DataRow("/ip6/2001:db8::7/tcp/80/p2p/" + Peer, "[2001:db8::7]:80")]
    [DataRow("/ip6zone/1/ip6/fe80::1/tcp/80", "[fe80::1%1]:80")]
    public void A_plain_TCP_address_has_an_end_point_and_comes_back_from_it(string text, string expected)
    {
        Multiaddress address = Multiaddress.Parse(text);
        Assert.IsTrue(address.TryGetEndPoint(out IPEndPoint? endPoint));
        Assert.AreEqual(expected, endPoint.ToString());
        Assert.AreEqual(address.WithoutPeerId(), Multiaddress.FromEndPoint(endPoint));
    }

    [TestMethod]
    public void An_end_point_with_IPv4_inside_IPv6_becomes_IPv4() =>
        Assert.AreEqual("/ip4/1.2.3.4/tcp/5", Multiaddress.FromEndPoint(new IPEndPoint(IPAddress.Parse("::ffff:1.2.3.4"), 5)).ToString());

    [TestMethod]
    [DataRow("/ip4/192.0.2.7")]
    [DataRow("/ip4/192.0.2.7/udp/1")]
    [DataRow("/ip4/192.0.2.7/tcp/1/ws")]
    [DataRow("/ip4/192.0.2.7/tcp/1/p2p/" + Peer + "/p2p-circuit")]
    [DataRow("/dns4/example.com/tcp/1")]
    [DataRow("/tcp/1")]
    [DataRow("/ip6zone/1/tcp/1")]
    public void Other_addresses_have_no_end_point(string text) => Assert.IsFalse(Multiaddress.Parse(text).TryGetEndPoint(out _));

    [TestMethod]
    [DataRow("/dns/example.com/tcp/443", "example.com", 443, "Dns")]
    [DataRow("/dns4/example.com/tcp/443/p2p/" + Peer, "example.com", 443, "Dns4")]
    [DataRow("/dns6/example.com/tcp/443", "example.com", 443, "Dns6")]
    [DataRow("/dnsaddr/bootstrap.example.com/p2p/" + Peer, "bootstrap.example.com", 0, "Dnsaddr")]
    [DataRow("/dns4/example.com/tcp/443/tls/ws", null, 443, "Dns4")]
    [DataRow("/dnsaddr/example.com/tcp/1", null, 0, "Dnsaddr")]
    [DataRow("/ip4/1.2.3.4/tcp/443", null, 0, "None")]
    public void A_name_to_resolve_is_found(string text, string? host, int port, string kind)
    {
        Assert.AreEqual(host is not null, Multiaddress.Parse(text).TryGetDnsHost(out string? actualHost, out int actualPort, out DnsKind actualKind));
        Assert.AreEqual(host, actualHost);
        Assert.AreEqual(kind, actualKind.ToString());
        if (host is not null)
        {
            Assert.AreEqual(port, actualPort);
        }
    }

    [TestMethod]
    public void A_name_is_replaced_by_what_it_stands_for() =>
        Assert.AreEqual(
            $"/ip6/2001:db8::9/tcp/443/p2p/{Peer}",
            Multiaddress.Parse($"/dns/example.com/tcp/443/p2p/{Peer}").WithAddress(IPAddress.Parse("2001:db8::9")).ToString());

    [TestMethod]
    public void Every_IP_address_and_port_round_trips()
    {
        Prop.ForAll<uint, ushort, byte[]>((raw, port, bytes) =>
        {
            byte[] sixteen = [.. bytes.Take(16), .. new byte[16 - Math.Min(16, bytes.Length)]];
            foreach (IPAddress ip in (IPAddress[])[new IPAddress(raw), new IPAddress(sixteen)])
            {
                Multiaddress address = Multiaddress.FromEndPoint(new IPEndPoint(ip, port));
                if (Multiaddress.Parse(address.ToString()) != address || !address.TryGetEndPoint(out IPEndPoint? endPoint) || endPoint.Port != port)
                {
                    return false;
                }
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }

    [TestMethod]
    [DataRow("/ip4/1.2.3.4/tcp", "ends after /tcp")]
    [DataRow("/ip4/1.2.3.4/tpc/1", "unknown part \"tpc\"")]
    [DataRow("/ip4/1.2.3/tcp/1", "wrong value \"1.2.3\" for /ip4")]
    [DataRow("192.0.2.7:4001", "starts with /")]
    public void A_mistyped_address_is_refused_with_what_is_wrong(string text, string why)
    {
        FormatException error = Assert.ThrowsExactly<FormatException>(() => Multiaddress.Parse(text));
        Assert.Contains(why, error.Message);
    }

    private static List<string> Cases(string group)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("multiaddr", "go-multiaddr-cases.json")));
        return [.. document.RootElement.GetProperty(group).EnumerateArray().Select(element => element.GetString()!)];
    }
}
