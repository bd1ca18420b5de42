using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Dht;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>Says in the DHT what this node has: each root at once when it is shared, and all of them again before others forget it.</summary>
internal sealed class Announcing(NodeRuntime runtime)
{
    /// <summary>How long a caller waits for an announcement; it goes on behind its back.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A pause between two roots, so that a start with many shares is no burst.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.1);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger("P2P.Core.Node");

    /// <summary>Whether content may be announced: a share for named peers only is nobody else's business.</summary>
    public static bool MayAnnounce(Pin pin) => pin.Kind.IsServed() && pin.AllowedPeers.Count == 0 && !pin.Root.IsEmpty;

    /// <summary>Announces a root and looks whether a stranger would find it.</summary>
    /// <returns>How it went; what is not done in a few seconds is done behind the caller's back and does not count.</returns>
    public async Task<Announcement> AnnounceAsync(Cid root, CancellationToken cancellationToken)
    {
        await runtime.Dht.EnterAsync(cancellationToken).ConfigureAwait(false);
        if (!runtime.Dht.HasContacts)
            return default;
        Task<Announcement> work = runtime.RunInBackground(token => ProvideAsync(root, DialPurpose.Awaited, token));
        try
        {
            return await work.WaitAsync(Patience, runtime.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new Announcement(0, RoutingTableSettings.K, Verified: false);
        }
    }

    /// <summary>Announces a root behind the caller's back.</summary>
    public void Enqueue(Cid root)
    {
        if (runtime.Dht.HasContacts)
            _ = runtime.RunInBackground(token => ProvideAsync(root, DialPurpose.Background, token));
    }

    /// <summary>Announces everything when the first contact is there, and then again and again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (runtime.Dht.All.Count == 0)
            return;
        await Task.WhenAny(runtime.Dht.All.Select(static dht => dht.HasContact)).WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            foreach (Cid root in runtime.Store.GetPins().Where(MayAnnounce).Select(static pin => pin.Root).Distinct())
            {
                await ProvideAsync(root, DialPurpose.Background, cancellationToken).ConfigureAwait(false);
                await Task.Delay(Pause, runtime.Time, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(runtime.Settings.ProvideInterval, runtime.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Announcement> ProvideAsync(Cid root, DialPurpose purpose, CancellationToken cancellationToken)
    {
        byte[] key = new byte[root.Key.ByteLength];
        root.Key.CopyTo(key);
        int told = 0, of = 0;
        bool isVerified = false;
        foreach (DhtNode dht in runtime.Dht.All.Where(static dht => dht.ContactCount > 0))
        {
            ProvideResult result = await dht.ProvideAsync(key, purpose, cancellationToken).ConfigureAwait(false);
            (told, of) = (told + result.Told, of + result.Of);
            if (purpose == DialPurpose.Awaited && result.Told > 0)
                isVerified |= await dht.IsFoundAsync(key, cancellationToken).ConfigureAwait(false);
        }

        NodeLog.Announced(_logger, root, told, of, isVerified);
        return new Announcement(told, of, isVerified);
    }
}
