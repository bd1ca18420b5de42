using System.Net.NetworkInformation;

namespace P2P.Core.Addresses;

/// <summary>Says whether the machine's interfaces or addresses have changed, so that they are enumerated then and not every few seconds: it costs milliseconds.</summary>
internal static class NetworkChanges
{
    /// <summary>How long what was enumerated counts although nothing was said: a system may miss to tell.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private static int s_version;

    static NetworkChanges()
    {
        try
        {
            NetworkChange.NetworkAddressChanged += static (_, _) => Interlocked.Increment(ref s_version);
            NetworkChange.NetworkAvailabilityChanged += static (_, _) => Interlocked.Increment(ref s_version);
        }
        catch (Exception error) when (error is NetworkInformationException or PlatformNotSupportedException)
        {
            // the system does not tell; the lifetime alone counts then
        }
    }

    /// <summary>Another number after each change.</summary>
    public static int Version => Volatile.Read(ref s_version);
}
