using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using P2P.Core;
using P2P.Core.Blocks;
using P2P.Core.Catalogue;
using P2P.Core.Connections;
using P2P.Core.Content;
using P2P.Core.Cryptography;
using P2P.Core.Dht;
using P2P.Core.Discovery;
using P2P.Core.Exchange;
using P2P.Core.Muxer;
using P2P.Core.Nat;
using P2P.Core.Protocols;
using P2P.Core.Replication;
using P2P.Core.SecureChannel;
using P2P.Core.Store;
using P2P.Core.Transport;

namespace P2P.Fuzz;

/// <summary>The decoders of the messages between peers and of the nodes of files and folders.</summary>
internal static partial class FuzzTargets
{
    private static readonly BlockSealer Sealer = new(new byte[BlockSealer.KeyBytes]);
    private static readonly BlockBufferPool Buffers = new();
    private static readonly SearchValues<char> ReservedOnWindows = SearchValues.Create("<>:\"\\|?*");

    private static IEnumerable<FuzzTarget> OtherRooms =>
    [
        new("dag-pb", [DagPbCodec.Encode([new DagPbLink(Raw, [.. "a.txt"u8], 7), new DagPbLink(Version0, null, null)], [0x08, 0x01]), [0x0A, 0x02, 0x08, 0x01]], DagPbNodes),
        new("unixfs", UnixFsSamples(), UnixFsNodes),
        new("content-node", [.. UnixFsSamples().Select(sample => DagPbCodec.Encode([new DagPbLink(Raw, [.. "a.txt"u8], 7)], sample))], ContentNodes),
        new("glob", Texts(["**/*.txt\na/b.txt", "[!a-z]?/**\n1x/y/z", "a*b**c\naxb/c", "*a*a*a*a*b\naaaaaaaaaaaaaaaaaaaaaaaa"]), Globs),
        new("sealed-block", SealedSamples(), SealedBlocks),
        new("private-node", [DagPbCodec.Encode([new DagPbLink(Raw, [.. "a.txt"u8], 304)], new UnixFsData(UnixFsType.Directory) { LeafHints = [6] }.Encode()), DagPbCodec.Encode([new DagPbLink(Raw, [], 304)], new UnixFsData(UnixFsType.File) { FileBytes = 5, BlockBytes = [5] }.Encode())], PrivateNodes),
        new("file-name", [.. Texts(["a.txt", "CON.txt", "a. ", "日本.tar.gz", ".."]), Bytes(new string('x', 8000) + ".mkv"), Bytes(string.Concat(Enumerable.Repeat("📁", 300)))], FileNames),
        new("ecdsa-der", [[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02]], input => EcdsaSignature.TryReadDer(input, new byte[64])),
        new("multistream", [[0x13, .. "/multistream/1.0.0\n"u8], [0x03, .. "na\n"u8]], MultistreamMessages),
        new("length-prefixed", [[0x03, 1, 2, 3], [0x80, 0x01, .. new byte[128]]], LengthPrefixedMessages),
        new("yamux", [[0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 5], [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], YamuxHeaders),
        new("noise-payload", [new NoisePayload(Identity.PublicKey.Encode(), new byte[64], ["/yamux/1.0.0"]).Encode()], NoisePayloads),
        new("identify", [new byte[] { 0x2A, 0x04, (byte)'k', (byte)'u', (byte)'b', (byte)'o', 0x12, 0x08, 4, 192, 0, 2, 7, 6, 0, 1, 0x1A, 0x04, (byte)'/', (byte)'a', (byte)'/', (byte)'b' }], Identifications),
        new("bitswap", BitswapSamples(), BitswapMessages),
        new("dht-message", DhtSamples(), DhtMessages),
        new("ipns-record", [[0x42, 1, 7, 0x4a, 1, 0xa0], [0x42, 1, 7, 0x4a, 10, 0xa1, 0x63, .. "TTL"u8, 0x1a, 1, 2, 3, 4]], input => new IpnsValidator().IsValid(Peer.AsSpan(), input, default)),
        new("beacon", [new Beacon(Peer, [4001, 65535]) { Asks = true }.Write(), new Beacon(default, []) { Asks = true }.Write(), new Beacon(Peer, []) { IsGoodbye = true }.Write()], Beacons),
        new("dns-message", [DnsMessageWriter.Write(PeerService.Query()), DnsMessageWriter.Write(new PeerService("abc").Announce(Peer, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/1")])), DnsMessageWriter.Write(new PeerService("abc").Answer(PeerService.Query(), Peer, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/1")])!)], DnsMessages),
        new("nat-pmp", [[0, 0x80, 0, 0, 0, 0, 0, 100, 203, 0, 113, 5], [0, 0x82, 0, 0, 0, 0, 0, 100, 15, 161, 15, 162, 0, 0, 14, 16]], input => NatPmpMessage.TryRead(input, out _)),
        new("pcp", [[2, 0x80, .. new byte[22]], [2, 0x81, 0, 0, .. new byte[20], .. new byte[12], 6, 0, 0, 0, 15, 161, 15, 162, .. new byte[16]]], input => PcpMessage.TryRead(input, out _)),
        new("ssdp", Texts([$"HTTP/1.1 200 OK\r\nST: {SsdpMessage.Targets[0]}\r\nLOCATION: http://192.168.1.1:5000/x.xml\r\n\r\n"]), input => SsdpMessage.ReadLocation(input)),
        new("http-reply", Texts(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "HTTP/1.0 500 Error\n\nhello"]), HttpReplies),
        new("upnp-description", Texts(["<root><URLBase>http://192.168.1.1/</URLBase><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/c</controlURL></service></root>"]), UpnpDescriptions),
        new("soap", Texts(["<e><b><r><NewExternalIPAddress>203.0.113.5</NewExternalIPAddress><errorCode>718</errorCode></r></b></e>"]), input => SoapMessage.Read(input)),
        new("autonat", [[0x0a, 13, 0x0a, 2, 4, 1, 0x11, 1, 2, 3, 4, 5, 6, 7, 8], [0x12, 5, 0x08, 0xc8, 1, 0x18, 1], [0x1a, 4, 0x10, 0xb0, 0xea, 1], [0x22, 3, 0x0a, 1, 9]], input => AutoNatProtocol.TryRead(input, out _)),
        new("catalogue", [CatalogueProtocol.Encode(new CatalogueList("n", [new CatalogueItem("x", Raw, 1, true, DateTimeOffset.UnixEpoch)]))], Catalogues),
        new("replica-message", [[0x0a, 4, 0x12, 2, 1, 2], [0x12, 2, 0x0a, 0], [0x2a, 4, 0x0a, 2, 1, 2], [0x32, 0], [0x3a, 5, 0x0a, 1, 0xf0, 0x10, 4], [0x42, 6, 0x08, 1, 0x1a, 2, 0x20, 3]], ReplicaMessages),
        new("lease", [NewLease().Seal(Identity)], input => Lease.TryOpen(input, out _)),
        new("receipt", [NewLease().Seal(Identity)], input => Receipt.TryOpen(input, out _)),
        new("pin-record", [PinRecordBody()], PinRecords),
        new("peer-record", [new PeerRecord(Identity.PeerId, 7, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/1")]).Seal(Identity)], PeerRecords),
    ];

    /// <summary>No answer is longer than was allowed, and one that is whole is the same whatever follows it.</summary>
    private static void HttpReplies(byte[] input)
    {
        const int MaxBytes = 64;
        try
        {
            if (HttpReply.Read(input, isEnd: false, MaxBytes, out int needed) is not { } reply)
            {
                Assert.IsGreaterThan(input.Length, needed, "what is not whole needs more");
                return;
            }

            Assert.IsLessThanOrEqualTo(MaxBytes, reply.Body.Length);
            GatewayReply again = HttpReply.Read([.. input, 1, 2, 3], isEnd: true, MaxBytes, out _)!.Value;
            Assert.AreEqual(reply.Status, again.Status);
            Assert.IsTrue(reply.Body.AsSpan().SequenceEqual(again.Body));
        }
        catch (IOException)
        {
            // refused
        }
    }

    private static void UpnpDescriptions(byte[] input)
    {
        var router = IPAddress.Parse("192.168.1.1");
        foreach (UpnpService service in UpnpService.ReadAll(input, new Uri("http://192.168.1.1:5000/x.xml"), router))
            Assert.IsTrue(UpnpService.IsOf(service.Control, router), "nothing but the router is called");
    }

    private static byte[][] DhtSamples() =>
    [
        DhtMessageCodec.Encode(new DhtMessage { Type = DhtMessageType.FindNode, Key = Peer.ToArray(), CloserPeers = [new Contact(Peer, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/1")])] }),
        DhtMessageCodec.Encode(new DhtMessage { Type = DhtMessageType.PutValue, Key = "/pk/x"u8.ToArray(), Record = new DhtRecord("/pk/x"u8.ToArray(), new byte[] { 1 }, "2026-01-01T00:00:00Z") }),
        DhtMessageCodec.Encode(new DhtMessage { Type = DhtMessageType.GetProviders, Key = Raw.MultihashSpan.ToArray(), ProviderPeers = [new Contact(Peer, [])] }),
    ];

    /// <summary>What was read is written and read again.</summary>
    private static void Beacons(byte[] input)
    {
        if (!Beacon.TryRead(input, out Beacon? beacon))
            return;
        Assert.IsLessThanOrEqualTo(Beacon.MaxPorts, beacon.Ports.Count);
        Assert.IsTrue(Beacon.TryRead(beacon.Write(), out Beacon? again));
        Assert.AreEqual((beacon.Peer, beacon.Asks, beacon.IsGoodbye), (again.Peer, again.Asks, again.IsGoodbye));
        CollectionAssert.AreEqual(beacon.Ports.ToArray(), again.Ports.ToArray());
    }

    private static void DnsMessages(byte[] input)
    {
        if (!DnsMessageReader.TryRead(input, out DnsMessage? message))
            return;
        foreach ((_, List<Multiaddress> addresses) in PeerService.ReadPeers(message))
            Assert.IsLessThanOrEqualTo(16, addresses.Count);
        _ = new PeerService("abc").Answer(message, Peer, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/1")]);
    }

    private static void Catalogues(byte[] input)
    {
        if (CatalogueProtocol.TryDecode(input, out CatalogueList? list))
            Assert.IsLessThanOrEqualTo(CatalogueProtocol.MaxItems, list.Items.Count);
    }

    /// <summary>What was read is written and read again; a server takes whatever it is sent.</summary>
    private static void DhtMessages(byte[] input)
    {
        if (!DhtMessageCodec.TryDecode(input, out DhtMessage? message))
            return;
        Assert.IsLessThanOrEqualTo(DhtMessageCodec.MaxCloserPeers, message.CloserPeers.Count);
        Assert.IsTrue(DhtMessageCodec.TryDecode(DhtMessageCodec.Encode(message), out DhtMessage? again));
        Assert.AreEqual(message.CloserPeers.Count, again.CloserPeers.Count);
        var server = new DhtServer(new RoutingTable(DhtKey.Of(Peer), RoutingTableSettings.Default), new ProviderTable(ProviderTableSettings.Default, new Random(1)), new RecordTable());
        try
        {
            server.Answer(message, DhtCaller.Of(Peer, Multiaddress.Parse("/ip4/192.0.2.7/tcp/1")), default, default);
        }
        catch (PeerProtocolException)
        {
            // refused
        }
    }

    private static Lease NewLease() => new()
    {
        Network = "p2p",
        Publisher = Identity.PeerId,
        RunKey = DhtKey.Of(Peer),
        EntriesDigest = new byte[32],
        Count = 1,
        Bytes = 1,
        Issued = DateTimeOffset.UnixEpoch,
        Until = DateTimeOffset.UnixEpoch,
        Min = 1,
        Target = 1,
        Max = 1,
        Sequence = 1,
    };

    private static void ReplicaMessages(byte[] input)
    {
        _ = ReplicaEntry.ReadAll(input);
        if (!ReplicaProtocol.TryDecode(input, out ReplicaMessage? message))
            return;
        if (message.BodyCase == ReplicaMessage.BodyOneofCase.Offer)
            _ = ReplicaProtocol.ReadEntries(message.Offer.Entries);
        else if (message.BodyCase == ReplicaMessage.BodyOneofCase.Digest && Inventory.PartOf(message.Digest) is { } part)
            _ = new Inventory([], part).AnswerTo(message.Digest, default);
        else if (message.BodyCase == ReplicaMessage.BodyOneofCase.Inventory)
            _ = message.Inventory.Items.Select(InventoryItem.TryRead).Count();
    }

    private static byte[] PinRecordBody()
    {
        byte[] record = new PinRecord([new Pin { Id = new PinId(1), Kind = PinKind.Shared, Root = Raw, Name = "a", Path = "/a", Hints = new byte[] { 1 } }], [new ResumeState("k", Raw, "/t", "/p", new PinId(1))]).ToBytes();
        return record[(record.AsSpan().IndexOf((byte)'\n') + 1)..];
    }

    /// <summary>The body with a right checksum before it: what a checksum cannot see must not break the reader either.</summary>
    private static void PinRecords(byte[] input)
    {
        _ = PinRecord.TryParse(input);
        byte[] sealedBody = [.. Bytes($"p2p-pins 1 {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input))}\n"), .. input];
        if (PinRecord.TryParse(sealedBody) is { } record)
            Assert.IsNotNull(PinRecord.TryParse(record.ToBytes()));
    }

    private static void DagPbNodes(byte[] input)
    {
        if (DagPbCodec.TryDecode(input, out DagPbNode? node))
        {
            byte[] encoded = DagPbCodec.Encode(node.Links, node.Data);
            Assert.IsTrue(DagPbCodec.TryDecode(encoded, out DagPbNode? same));
            Assert.IsTrue(DagPbCodec.Encode(same.Links, same.Data).AsSpan().SequenceEqual(encoded));
            if (node.Data is not null)
            {
                UnixFsNodes(node.Data);
            }
        }
    }

    private static byte[][] SealedSamples()
    {
        byte[] block = new byte[BlockSealer.SealedBytes(Cid.RawCodec, 5)];
        using var sealer = new BlockSealer(new byte[BlockSealer.KeyBytes]);
        sealer.Seal(Cid.RawCodec, "hello"u8, block);
        return [block, new byte[304]];
    }

    private static void SealedBlocks(byte[] input)
    {
        byte[] memory = new byte[input.Length];
        if (Sealer.TryOpen(input, memory, out ulong codec, out Range data) is not null)
            return;
        byte[] again = new byte[input.Length];
        Sealer.Seal(codec, memory.AsSpan(data), again);
        Assert.IsTrue(again.AsSpan().SequenceEqual(input), "one form only");
    }

    private static void PrivateNodes(byte[] input)
    {
        try
        {
            ContentNode node = ContentNode.Decode(Cid.OfDagPb(input), input, new PrivateForm(Sealer, Buffers));
            foreach (DagPbLink link in node.Links)
                Assert.IsTrue(link.Cid.Codec == Cid.DagPbCodec || link.TargetBytes <= BlockSealer.MaxLeafBytes);
        }
        catch (P2PException error)
        {
            Assert.AreEqual(P2PErrorCode.Integrity, error.Code);
        }
    }

    private static byte[][] UnixFsSamples() =>
    [
        new UnixFsData(UnixFsType.File) { Data = [1, 2, 3], FileBytes = 10, BlockBytes = [3, 7] }.Encode(),
        new UnixFsData(UnixFsType.HamtShard) { Data = [255, 1], HashType = 0x22, Fanout = 256 }.Encode(),
        new UnixFsData(UnixFsType.Directory) { Mode = 0x1ED, ModifiedAt = new UnixFsTime(-5, 7) }.Encode(),
    ];

    private static void UnixFsNodes(byte[] input)
    {
        if (UnixFsData.TryDecode(input, out UnixFsData? data))
        {
            byte[] encoded = data.Encode();
            Assert.IsTrue(UnixFsData.TryDecode(encoded, out UnixFsData? same));
            Assert.IsTrue(same.Encode().AsSpan().SequenceEqual(encoded));
        }
    }

    private static void ContentNodes(byte[] input)
    {
        try
        {
            ContentNode node = ContentNode.Decode(Cid.OfDagPb(input), input);
            Assert.IsTrue(node.File is null || !node.IsFolder);
        }
        catch (P2PException exception)
        {
            Assert.AreEqual(P2PErrorCode.Integrity, exception.Code);
        }
    }

    private static void Globs(byte[] input)
    {
        string text = Text(input);
        int split = Math.Max(text.IndexOf('\n', StringComparison.Ordinal), 0);
        string path = text[split..].Trim('\n', '/');
        if (!Glob.TryParse(text[..split], out Glob? glob, out string? why))
        {
            AssertSentence(why);
            return;
        }

        if (!glob.IsMatch(path) || path.Length == 0)
            return;
        Assert.IsTrue(glob.IsMatch(path + "/below"), "a folder takes all below it");
        Assert.IsTrue(glob.CanMatchBelow(path));
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
            Assert.IsTrue(glob.CanMatchBelow(path.AsSpan(0, slash)), "the way to a match is open");
    }

    private static void FileNames(byte[] input)
    {
        if (PathRules.IsForbidden(input))
        {
            return;
        }

        string folded = UnicodeFolding.Fold(Encoding.UTF8.GetString(input));
        Assert.AreEqual(folded, UnicodeFolding.Fold(folded), "what is folded stays");
        foreach (TargetSystem system in Enum.GetValues<TargetSystem>())
        {
            string name = PathRules.ToFileName(input, system);
            Assert.IsFalse(name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\0'), name);
            Assert.IsLessThanOrEqualTo(PathRules.MaxNameLength, system == TargetSystem.Windows ? name.Length : Encoding.UTF8.GetByteCount(name));
            if (system == TargetSystem.Windows)
            {
                Assert.IsFalse(name.AsSpan().ContainsAny(ReservedOnWindows) || name[^1] is '.' or ' ' || name.Any(character => character < ' '), name);
                Assert.AreEqual(name, PathRules.ToFileName(Encoding.UTF8.GetBytes(name), system), "a name that fits stays");
            }
        }
    }

    private static void MultistreamMessages(byte[] input)
    {
        OperationStatus status = MultistreamCodec.TryRead(input, out string token, out int consumed);
        AssertStatus(status, consumed, input);
        Assert.IsLessThanOrEqualTo(MultistreamCodec.MaxMessageBytes, token.Length);
        for (int split = 0; split <= Math.Min(input.Length, 4); split++)
        {
            ReadOnlySequence<byte> sequence = Split(input, split);
            Assert.AreEqual(status, MultistreamCodec.TryRead(ref sequence, out string same));
            Assert.AreEqual((token, (long)consumed), (same, input.Length - sequence.Length));
        }
    }

    private static void LengthPrefixedMessages(byte[] input)
    {
        for (int split = 0; split <= Math.Min(input.Length, 10); split++)
        {
            ReadOnlySequence<byte> sequence = Split(input, split);
            OperationStatus status = LengthPrefixed.TryRead(ref sequence, 1000, out ReadOnlySequence<byte> message);
            Assert.IsLessThanOrEqualTo(1000, message.Length);
            Assert.AreEqual(status == OperationStatus.Done, sequence.Length < input.Length);
        }
    }

    private static void YamuxHeaders(byte[] input)
    {
        if (YamuxHeader.TryRead(input, out YamuxHeader header) == OperationStatus.Done)
        {
            byte[] encoded = new byte[YamuxHeader.Bytes];
            header.Write(encoded);
            Assert.IsTrue(encoded.AsSpan().SequenceEqual(input.AsSpan(0, YamuxHeader.Bytes)));
        }
    }

    private static void NoisePayloads(byte[] input)
    {
        if (NoisePayload.TryDecode(input, out NoisePayload? payload))
        {
            byte[] encoded = payload.Encode();
            Assert.IsTrue(NoisePayload.TryDecode(encoded, out NoisePayload? same));
            Assert.IsTrue(same.Encode().AsSpan().SequenceEqual(encoded));
        }
    }

    private static void Identifications(byte[] input)
    {
        if (IdentifyCodec.TryDecode([input], Peer, out RemoteInfo? info))
        {
            Assert.IsNotNull(info);
        }

        _ = IdentifyCodec.TryDecode([input, input], Peer, out _);
    }

    private static byte[][] BitswapSamples()
    {
        var wants = new ArrayBufferWriter<byte>();
        BitswapWriter.WriteWantlist(wants, [WantEntry.ForBlock(Raw, 5), WantEntry.ForHave(Version0, 1), WantEntry.ForCancel(Raw)], full: true);
        var blocks = new ArrayBufferWriter<byte>();
        BitswapWriter.WriteMessageLength(blocks, BitswapWriter.SizeOfPresence(Raw, have: false) + BitswapWriter.SizeOfBlock(Raw, 5));
        BitswapWriter.WritePresence(blocks, Raw, have: false);
        BitswapWriter.WriteBlockHeader(blocks, Raw, 5);
        blocks.Write("hello"u8);

        // field 2, a block as bitswap 1.0.0 sends it
        byte[] legacy = [0x07, 0x12, 0x05, .. "hello"u8];
        return [wants.WrittenSpan.ToArray(), blocks.WrittenSpan.ToArray(), legacy, [.. wants.WrittenSpan, .. blocks.WrittenSpan, .. legacy]];
    }

    private static void BitswapMessages(byte[] input)
    {
        var pool = new BlockBufferPool(keptBytesMax: 0);
        string whole = ReadBitswap(pool, new ReadOnlySequence<byte>(input));
        for (int split = 1; split < input.Length; split += Math.Max(1, input.Length / 3))
        {
            Assert.AreEqual(whole, ReadBitswap(pool, Split(input, split)), $"split at {split}");
        }

        Assert.AreEqual(0, pool.RentedCount, "no buffer is lost, whatever came");
    }

    // what the reader makes of it, in a line; blocks of up to 4 KiB are taken, larger ones read and forgotten
    private static string ReadBitswap(BlockBufferPool pool, ReadOnlySequence<byte> input)
    {
        var parts = new StringBuilder();
        using var reader = new BitswapReader();
        while (true)
        {
            OperationStatus status = reader.TryRead(ref input, out BitswapPart part);
            if (status != OperationStatus.Done)
            {
                return parts.Append(CultureInfo.InvariantCulture, $"{status} {reader.IsBetweenMessages}").ToString();
            }

            parts.Append(CultureInfo.InvariantCulture, $"{part.Kind} {part.Want} {part.Cid} {part.Flag} {part.Length} {part.Prefix};");
            if (part.Kind == BitswapPartKind.BlockStart)
            {
                reader.Accept(part.Length <= 4096 ? pool.Rent(part.Length) : null);
            }
            else if (part.Buffer is { } buffer)
            {
                parts.Append(Convert.ToHexString(buffer.Span));
                _ = part.Prefix.TryHash(buffer.Span, out _);
                buffer.Dispose();
            }
        }
    }

    private static void PeerRecords(byte[] input)
    {
        if (PeerRecord.TryOpen(input, out PeerRecord? record))
        {
            Assert.AreEqual(Identity.PeerId, record.Peer, "nobody else could sign");
        }
    }
}
