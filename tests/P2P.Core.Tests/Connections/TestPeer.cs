using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Addresses;
using P2P.Core.Connections;
using P2P.Core.Identity;
using P2P.Core.Protocols;
using P2P.Core.Transport;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

/// <summary>A peer with the real handshake and muxer, in memory or on loopback TCP.</summary>
internal sealed class TestPeer : IAsyncDisposable, IConnectionObserver
{
    public const string Echo = "/test/echo/1.0.0";

    private readonly ILoggerFactory _loggers;

    public TestPeer(ITransport transport, ConnectionOptions? options = null, TimeProvider? time = null, IdentityKey? identity = null, ulong seed = 1)
    {
        Log = new LogList();
        _loggers = new LogListFactory(Log);
        Transport = transport;
        Identity = identity ?? IdentityKey.Generate();
        options ??= new ConnectionOptions();
        if (transport is MemoryTransport)
        {
            options = options with { OnLink = static () => [MemoryNetwork.Prefix] };
        }

        Pool = new ConnectionPool(Identity, [transport], options, time ?? TimeProvider.System, new SeededRandom(seed), _loggers);
        Pool.Observe(this);
        Pool.Handle(Echo, EchoAsync, maxInboundPerPeer: 64);
        Ping = new PingProtocol(Pool, time ?? TimeProvider.System);
        Identify = new IdentifyProtocol(Pool, Identity, time ?? TimeProvider.System, _loggers);
    }

    public ITransport Transport { get; }

    public IdentityKey Identity { get; }

    public PeerId Id => Identity.PeerId;

    public ConnectionPool Pool { get; }

    public PingProtocol Ping { get; }

    public IdentifyProtocol Identify { get; }

    public LogList Log { get; }

    public ConcurrentQueue<(string Kind, Connection Connection, string Reason)> Events { get; } = [];

    /// <summary>The first listen address, with the peer id.</summary>
    public Multiaddress Address => Pool.ListenAddresses[0].WithPeerId(Id);

    public static TestPeer InMemory(MemoryNetwork network, ConnectionOptions? options = null, TimeProvider? time = null, IdentityKey? identity = null) =>
        new(network.NewHost(), options, time, identity);

    public static TestPeer OnLoopback(ConnectionOptions? options = null) =>
        new(new TcpTransport(TimeProvider.System, NullLogger.Instance), options);

    public async Task<TestPeer> ListenAsync(CancellationToken cancellationToken)
    {
        Multiaddress address = Transport is MemoryTransport memory ? memory.ListenAddress() : Multiaddress.Parse("/ip4/127.0.0.1/tcp/0");
        await Pool.ListenAsync([address], cancellationToken);
        return this;
    }

    public Task<Connection> ConnectAsync(TestPeer other, CancellationToken cancellationToken) =>
        Pool.ConnectAsync(other.Address, AddressOrigin.User, cancellationToken);

    public static async Task EchoAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        await stream.Input.CopyToAsync(stream.Output, cancellationToken);
    }

    /// <summary>Sends bytes over a new echo stream and checks that they come back.</summary>
    public static async Task CheckEchoAsync(Connection connection, int bytes, CancellationToken cancellationToken)
    {
        byte[] sent = new byte[bytes];
        new SeededRandom((ulong)bytes).NextBytes(sent);
        await using PeerStream stream = await connection.OpenStreamAsync(Echo, cancellationToken);
        Task writing = Task.Run(
            async () =>
            {
                await stream.Output.WriteAsync(sent, cancellationToken);
                await stream.Output.CompleteAsync();
            },
            cancellationToken);
        using MemoryStream received = new();
        await stream.Input.CopyToAsync(received, cancellationToken);
        await writing;
        CollectionAssert.AreEqual(sent, received.ToArray());
    }

    public void OnConnected(Connection connection) => Events.Enqueue(("connected", connection, ""));

    public void OnIdentified(Connection connection) => Events.Enqueue(("identified", connection, ""));

    public void OnDisconnected(Connection connection, string reason) => Events.Enqueue(("disconnected", connection, reason));

    public async ValueTask DisposeAsync()
    {
        await Identify.DisposeAsync();
        await Pool.DisposeAsync();
        Identity.Dispose();
    }
}

/// <summary>Log lines, to assert on reasons.</summary>
internal sealed class LogList
{
    public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = [];

    public bool Contains(string part) => Lines.Any(line => line.Text.Contains(part, StringComparison.Ordinal));

    public IEnumerable<string> Problems => Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text);
}

internal sealed class LogListFactory(LogList list) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new ListLogger(list);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class ListLogger(LogList list) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            list.Lines.Enqueue((logLevel, formatter(state, exception) + (exception is null ? "" : $" {exception}")));
    }
}

/// <summary>Waiting for what other threads do, without hoping.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition())
        {
            await Task.Delay(5, cancellationToken);
        }
    }
}

/// <summary>A peer id that nobody answers to.</summary>
internal sealed class PeerIdOfNobody
{
    public PeerIdOfNobody()
    {
        using IdentityKey key = IdentityKey.Generate();
        Id = key.PeerId;
    }

    public PeerId Id { get; }
}
