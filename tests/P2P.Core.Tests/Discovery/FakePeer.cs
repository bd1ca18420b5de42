using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using P2P.Core.Discovery;
using P2P.Core.Identity;

namespace P2P.Core.Tests.Discovery;

/// <summary>Who looks for others on a <see cref="FakeLan"/>.</summary>
internal sealed class FakePeer
{
    private readonly CancellationTokenSource _stop;

    public FakePeer(FakeHost host, bool listens, TimeProvider time, CancellationToken stop)
    {
        Host = host;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Lan = new LanDiscovery(Id, host, () => listens ? [host.Listen] : [], (peer, addresses) => Found[peer] = addresses, Gone.Enqueue, time, new Random(host.Address.GetHashCode()), NullLogger.Instance);
        Running = Lan.RunAsync(_stop.Token);
    }

    public PeerId Id { get; } = NewId();

    public FakeHost Host { get; }

    public LanDiscovery Lan { get; }

    public Task Running { get; }

    public ConcurrentDictionary<PeerId, IReadOnlyList<Multiaddress>> Found { get; } = [];

    public ConcurrentQueue<PeerId> Gone { get; } = [];

    public static PeerId NewId()
    {
        using var key = IdentityKey.Generate();
        return key.PeerId;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
