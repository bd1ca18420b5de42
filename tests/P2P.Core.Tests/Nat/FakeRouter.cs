using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using P2P.Core.Nat;

namespace P2P.Core.Tests.Nat;

/// <summary>A router in memory, with the protocols that it is told to speak.</summary>
internal sealed class FakeRouter(TimeProvider time) : IGatewaySystem
{
    public static readonly Gateway Home = new(IPAddress.Parse("192.168.1.1"), IPAddress.Parse("192.168.1.2"), "eth0");

    private readonly ConcurrentDictionary<int, (int Internal, long Until)> _mappings = [];
    private long _began = time.GetTimestamp();

    public bool SpeaksPcp { get; set; }

    public bool SpeaksNatPmp { get; set; }

    public bool SpeaksUpnp { get; set; }

    public bool IsOff { get; set; }

    /// <summary>Whether the machine is in the router's network.</summary>
    public bool IsThere { get; set; } = true;

    public IPAddress External { get; set; } = IPAddress.Parse("5.5.5.5");

    public uint GrantedSeconds { get; set; } = 7200;

    /// <summary>Ports that somebody else has.</summary>
    public HashSet<int> Taken { get; } = [];

    /// <summary>Whether UPnP knows no leases.</summary>
    public bool OnlyPermanent { get; set; }

    /// <summary>What UPnP answers a search with; null: what is right.</summary>
    public string? Location { get; set; }

    /// <summary>Who answers a search, and the description of the device.</summary>
    public IPAddress Answerer { get; set; } = Home.Router;

    public string Description { get; set; } = UpnpServiceTests.Description("urn:schemas-upnp-org:service:WANIPConnection:1", "/ctl");

    /// <summary>Requests by datagram and by HTTP so far.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public IReadOnlyDictionary<int, int> Mappings => _mappings.Where(one => time.GetTimestamp() < one.Value.Until).ToDictionary(static one => one.Key, static one => one.Value.Internal);

    /// <summary>Forgets everything, as after a loss of power.</summary>
    public void Restart()
    {
        _mappings.Clear();
        _began = time.GetTimestamp();
    }

    public IReadOnlyList<Gateway> GetGateways() => IsThere ? [Home] : [];

    public IDatagramChannel Connect(Gateway gateway, int port) => new FakeChannel(this, isSearch: false);

    public IDatagramChannel OpenSearch(Gateway gateway) => new FakeChannel(this, isSearch: true);

    public Task<GatewayReply> RequestAsync(Gateway gateway, Uri url, string? soapAction, ReadOnlyMemory<byte> body, int maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Asked.Enqueue(soapAction is null ? $"GET {url}" : $"{soapAction[(soapAction.IndexOf('#', StringComparison.Ordinal) + 1)..].Trim('"')} {url.AbsolutePath}");
        if (IsOff)
            throw new IOException("Connection refused");
        return Task.FromResult(soapAction is null ? new GatewayReply(200, Encoding.UTF8.GetBytes(Description)) : Serve(soapAction, Encoding.UTF8.GetString(body.Span)));
    }

    private GatewayReply Serve(string action, string body)
    {
        string Value(string name) => body.Split($"<{name}>")[1].Split('<')[0];
        int Number(string name) => int.Parse(Value(name), CultureInfo.InvariantCulture);
        if (action.Contains("GetExternalIPAddress", StringComparison.Ordinal))
            return Reply(200, $"<NewExternalIPAddress>{External}</NewExternalIPAddress>");
        int port = Number("NewExternalPort");
        if (action.Contains("DeletePortMapping", StringComparison.Ordinal))
            return _mappings.TryRemove(port, out _) ? Reply(200, "") : Error(714);
        if (action.Contains("GetSpecificPortMappingEntry", StringComparison.Ordinal))
            return Mappings.TryGetValue(port, out int inner) ? Reply(200, $"<NewInternalClient>192.168.1.2</NewInternalClient><NewInternalPort>{inner}</NewInternalPort>") : Error(714);
        int seconds = Number("NewLeaseDuration");
        if (Taken.Contains(port))
            return Error(718);
        if (OnlyPermanent && seconds > 0)
            return Error(725);
        Map(port, Number("NewInternalPort"), seconds == 0 ? int.MaxValue : (uint)seconds);
        return Reply(200, "");
    }

    private static GatewayReply Reply(int status, string inner) =>
        new(status, Encoding.UTF8.GetBytes($"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:R xmlns:u=\"x\">{inner}</u:R></s:Body></s:Envelope>"));

    private static GatewayReply Error(int code) => Reply(500, $"<errorCode>{code}</errorCode><errorDescription>no\u202e</errorDescription>");

    private int Map(int wanted, int inner, uint seconds)
    {
        int port = wanted == 0 ? inner : wanted;
        while (Taken.Contains(port))
            port++;
        if (seconds == 0)
            _mappings.TryRemove(inner, out _);
        else
            _mappings[port] = (inner, time.GetTimestamp() + (long)(seconds * (double)time.TimestampFrequency));
        return port;
    }

    private byte[]? Answer(ReadOnlySpan<byte> packet)
    {
        uint epoch = (uint)time.GetElapsedTime(_began).TotalSeconds;
        if (packet[0] == PcpMessage.Version)
        {
            if (!SpeaksPcp)
                return SpeaksNatPmp ? [0, 0x80, 0, 1, 0, 0, 0, 0] : null;
            byte[] answer = packet.ToArray();
            answer[1] |= 0x80;
            answer.AsSpan(2, 2).Clear();
            BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(8), epoch);
            answer.AsSpan(12, 12).Clear();
            if (packet[1] == PcpMessage.MapOpcode)
            {
                uint lifetime = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);
                int port = Map(BinaryPrimitives.ReadUInt16BigEndian(packet[42..]), BinaryPrimitives.ReadUInt16BigEndian(packet[40..]), Math.Min(lifetime, GrantedSeconds));
                BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(4), Math.Min(lifetime, GrantedSeconds));
                BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(42), (ushort)port);
                External.MapToIPv6().TryWriteBytes(answer.AsSpan(44), out _);
            }

            return answer;
        }

        if (!SpeaksNatPmp)
            return null;
        if (packet[1] == NatPmpMessage.AddressOpcode)
        {
            byte[] address = [0, 0x80, 0, 0, 0, 0, 0, 0, .. External.GetAddressBytes()];
            BinaryPrimitives.WriteUInt32BigEndian(address.AsSpan(4), epoch);
            return address;
        }

        byte[] mapped = new byte[16];
        mapped[1] = 0x82;
        BinaryPrimitives.WriteUInt32BigEndian(mapped.AsSpan(4), epoch);
        packet.Slice(4, 2).CopyTo(mapped.AsSpan(8));
        uint granted = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(packet[8..]), GrantedSeconds);
        int given = Map(BinaryPrimitives.ReadUInt16BigEndian(packet[6..]), BinaryPrimitives.ReadUInt16BigEndian(packet[4..]), granted);
        BinaryPrimitives.WriteUInt16BigEndian(mapped.AsSpan(10), (ushort)given);
        BinaryPrimitives.WriteUInt32BigEndian(mapped.AsSpan(12), granted);
        return mapped;
    }

    private sealed class FakeChannel(FakeRouter router, bool isSearch) : IDatagramChannel
    {
        private readonly Channel<(byte[] Packet, IPEndPoint From)> _packets = Channel.CreateUnbounded<(byte[], IPEndPoint)>();

        public ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (router.IsOff)
                return ValueTask.CompletedTask;
            if (isSearch)
            {
                string location = router.Location ?? $"http://{Home.Router}:5000/rootDesc.xml";
                string target = Encoding.ASCII.GetString(packet.Span).Split("\nST: ")[1].Trim();
                if (router.SpeaksUpnp)
                    _packets.Writer.TryWrite((Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nST: {target}\r\nLOCATION: {location}\r\n\r\n"), new IPEndPoint(router.Answerer, SsdpMessage.Port)));
            }
            else
            {
                router.Asked.Enqueue(packet.Span[0] == PcpMessage.Version ? $"PCP {packet.Span[1]}" : $"NAT-PMP {packet.Span[1]}");
                if (router.Answer(packet.Span) is { } answer)
                    _packets.Writer.TryWrite((answer, new IPEndPoint(Home.Router, PortControlClient.Port)));
            }

            return ValueTask.CompletedTask;
        }

        public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            (byte[] packet, IPEndPoint from) = await _packets.Reader.ReadAsync(cancellationToken);
            packet.CopyTo(buffer);
            return (packet.Length, from);
        }

        public void Dispose() => _packets.Writer.TryComplete(new SocketException((int)SocketError.Interrupted));
    }
}
