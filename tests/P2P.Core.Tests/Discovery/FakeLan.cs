using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using P2P.Core.Discovery;

namespace P2P.Core.Tests.Discovery;

/// <summary>A local network in memory: whatever one host says, all hear, itself included.</summary>
internal sealed class FakeLan
{
    private readonly ConcurrentDictionary<FakeHost, byte> _hosts = [];
    private int _count;

    /// <summary>Every packet to the group so far.</summary>
    public ConcurrentQueue<(IPEndPoint From, DnsMessage Message)> Said { get; } = [];

    /// <summary>Whether multicast gets through, and whether broadcast does; what does not is sent and lost.</summary>
    public bool CarriesMulticast { get; set; } = true;

    /// <inheritdoc cref="CarriesMulticast"/>
    public bool CarriesBroadcast { get; set; }

    /// <summary>Every beacon so far.</summary>
    public ConcurrentQueue<(IPEndPoint From, Beacon Beacon)> Beacons { get; } = [];

    /// <summary>Packets to one alone.</summary>
    public ConcurrentQueue<(IPEndPoint To, DnsMessage Message)> Told { get; } = [];

    /// <summary>Adds a host at the next address of 10.0.0.0/8.</summary>
    public FakeHost AddHost() => AddHost(IPAddress.Parse($"10.7.0.{Interlocked.Increment(ref _count)}"));

    /// <summary>Adds a host.</summary>
    public FakeHost AddHost(IPAddress address) => Add(new FakeHost(this, address));

    /// <summary>Adds a host.</summary>
    public FakeHost Add(FakeHost host)
    {
        _hosts.TryAdd(host, 0);
        return host;
    }

    /// <summary>Somebody sends a packet, whoever it says it is.</summary>
    public void Send(byte[] packet, IPEndPoint from, bool isBroadcast = false)
    {
        if (!(isBroadcast ? CarriesBroadcast : CarriesMulticast))
            return;
        foreach (FakeHost host in _hosts.Keys)
            host.Receive(packet, from, isBroadcast);
    }
}

/// <summary>A host of <see cref="FakeLan"/> with one interface.</summary>
internal sealed class FakeHost(FakeLan lan, IPAddress address) : ILanSystem
{
    private readonly Lock _gate = new();
    private readonly List<FakeChannel> _channels = [];
    private bool _isUp = true;

    /// <summary>Whether a program has the port of beacons for itself.</summary>
    public bool IsBeaconPortTaken { get; init; }

    public IPAddress Address => address;

    public Multiaddress Listen { get; } = Multiaddress.Parse($"/ip4/{address}/tcp/4001");

    public int Opened { get; private set; }

    public IReadOnlyList<LanInterface> GetInterfaces()
    {
        lock (_gate)
            return _isUp ? [new LanInterface("eth0", 2, [(address, 8)])] : [];
    }

    public ILanChannel Open(LanInterface card, AddressFamily family)
    {
        lock (_gate)
        {
            Opened++;
            var channel = new FakeChannel(this, isBroadcast: false);
            _channels.Add(channel);
            return channel;
        }
    }

    public ILanChannel OpenBeacon(LanInterface card)
    {
        if (IsBeaconPortTaken)
            throw new SocketException((int)SocketError.AddressAlreadyInUse);
        lock (_gate)
        {
            var channel = new FakeChannel(this, isBroadcast: true);
            _channels.Add(channel);
            return channel;
        }
    }

    /// <summary>The interface goes down or comes up.</summary>
    public void SetUp(bool isUp)
    {
        lock (_gate)
        {
            _isUp = isUp;
            if (isUp)
                return;
            foreach (FakeChannel channel in _channels)
                channel.Fail();
            _channels.Clear();
        }
    }

    public void Receive(byte[] packet, IPEndPoint from, bool isBroadcast)
    {
        lock (_gate)
            _channels.Where(channel => channel.IsBroadcast == isBroadcast).ToList().ForEach(channel => channel.Receive(packet, from));
    }

    private void Broadcast(byte[] packet)
    {
        Assert.IsTrue(Beacon.TryRead(packet, out Beacon? beacon));
        var from = new IPEndPoint(address, 50_000);
        lan.Beacons.Enqueue((from, beacon));
        lan.Send(packet, from, isBroadcast: true);
    }

    private void Forget(FakeChannel channel)
    {
        lock (_gate)
            _channels.Remove(channel);
    }

    private void Send(byte[] packet, IPEndPoint? to)
    {
        Assert.IsTrue(DnsMessageReader.TryRead(packet, out DnsMessage? message));
        var from = new IPEndPoint(address, MulticastSocket.Port);
        if (to is not null)
        {
            lan.Told.Enqueue((to, message));
            return;
        }

        lan.Said.Enqueue((from, message));
        lan.Send(packet, from);
    }

    private sealed class FakeChannel(FakeHost host, bool isBroadcast) : ILanChannel
    {
        private readonly Channel<(byte[] Packet, IPEndPoint From)> _packets = Channel.CreateUnbounded<(byte[], IPEndPoint)>();

        public bool IsBroadcast => isBroadcast;

        public void Receive(byte[] packet, IPEndPoint from) => _packets.Writer.TryWrite((packet, from));

        public void Fail() => _packets.Writer.TryComplete(new SocketException((int)SocketError.NetworkDown));

        public ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (isBroadcast)
                host.Broadcast(packet.ToArray());
            else
                host.Send(packet.ToArray(), to);
            return ValueTask.CompletedTask;
        }

        public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            try
            {
                (byte[] packet, IPEndPoint from) = await _packets.Reader.ReadAsync(cancellationToken);
                packet.CopyTo(buffer);
                return (packet.Length, from);
            }
            catch (ChannelClosedException closed) when (closed.InnerException is SocketException error)
            {
                throw;
            }
        }

        public void Dispose()
        {
            _packets.Writer.TryComplete(new SocketException((int)SocketError.Interrupted));
            host.Forget(this);
        }
    }
}
