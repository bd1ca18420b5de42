using System.Globalization;
using System.Net;
using P2P.Core.Connections;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>
/// Listens so that a restarted node keeps its address: port 0 means the port of the last run with that address if it is free, else a free one
/// that is remembered. By default IPv4 and IPv6 share one port, chosen at the first run.
/// </summary>
internal sealed class ListenPorts(BlockStore store, ConnectionPool pool, NodeWarnings warnings)
{
    private const string DefaultKey = "listen/default";

    public async Task ListenAsync(NodeSettings settings, CancellationToken cancellationToken)
    {
        if (settings.ListensByDefault)
        {
            await ListenByDefaultAsync(settings.ListenAddresses, cancellationToken).ConfigureAwait(false);
            return;
        }

        foreach (Multiaddress address in settings.ListenAddresses)
        {
            if (PortOf(address) != 0)
            {
                await pool.ListenAsync([address], cancellationToken).ConfigureAwait(false);
                continue;
            }

            string key = "listen" + address;
            int last = Remembered(key);
            int port = last == 0 ? 0 : await TryListenAsync(address, last, cancellationToken).ConfigureAwait(false);
            if (port == 0)
                port = await BindAsync(address, cancellationToken).ConfigureAwait(false);
            await RememberAsync(key, last, port, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>IPv4 first; IPv6 on the same port, and silently not at all on a system without it.</summary>
    private async Task ListenByDefaultAsync(IReadOnlyList<Multiaddress> addresses, CancellationToken cancellationToken)
    {
        int last = Remembered(DefaultKey);
        int port = last == 0 ? 0 : await TryListenAsync(addresses[0], last, cancellationToken).ConfigureAwait(false);
        if (port == 0)
        {
            port = await BindAsync(addresses[0], cancellationToken).ConfigureAwait(false);
            if (last == 0)
                await RememberAsync(DefaultKey, last, port, cancellationToken).ConfigureAwait(false);
            else
                warnings.Add("port_taken", string.Create(CultureInfo.InvariantCulture, $"Port {last} is taken by another program; this run listens on {port}, so links made earlier do not lead here."));
        }

        for (int i = 1; i < addresses.Count; i++)
            await TryListenAsync(addresses[i], port, cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> TryListenAsync(Multiaddress address, int port, CancellationToken cancellationToken)
    {
        try
        {
            return await BindAsync(WithPort(address, port), cancellationToken).ConfigureAwait(false);
        }
        catch (P2PException)
        {
            return 0; // taken or not there: the caller chooses another
        }
    }

    private async Task<int> BindAsync(Multiaddress address, CancellationToken cancellationToken)
    {
        IReadOnlyList<Multiaddress> bound = await pool.ListenAsync([address], cancellationToken).ConfigureAwait(false);
        return PortOf(bound[0]);
    }

    private int Remembered(string key) => int.TryParse(store.GetSetting(key), NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? port : 0;

    private Task RememberAsync(string key, int last, int port, CancellationToken cancellationToken) =>
        last == port ? Task.CompletedTask : store.SetSettingAsync(key, port.ToString(CultureInfo.InvariantCulture), cancellationToken);

    private static int PortOf(Multiaddress address) => address.TryGetEndPoint(out IPEndPoint? endPoint) ? endPoint.Port : -1;

    private static Multiaddress WithPort(Multiaddress address, int port)
    {
        bool known = address.TryGetEndPoint(out IPEndPoint? endPoint);
        return known ? Multiaddress.FromEndPoint(new IPEndPoint(endPoint!.Address, port)) : address;
    }
}
