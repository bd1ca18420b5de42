using System.Globalization;
using System.Net;
using System.Net.Sockets;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>Asks a router by UPnP IGD, version 1 or 2. Talks to the router and to nobody else, whatever answers a search. Not thread-safe.</summary>
internal sealed class UpnpClient(Gateway gateway, IGatewaySystem system, TimeProvider time, Random random) : IPortMapper
{
    /// <summary>The name that a router's own page shows for the mapping.</summary>
    private const string Description = "P2P file sharing";

    /// <summary>Devices that are looked at, and answers that are read in one search (count each).</summary>
    private const int MaxCandidates = 4, MaxAnswers = 64;

    /// <summary>Other ports that are tried when one is taken (count).</summary>
    private const int MaxPorts = 8;

    private const int ArgumentInvalid = 402, InvalidAction = 401, ActionFailed = 501, NoSuchEntry = 714, Conflict = 718, SamePort = 724, OnlyPermanent = 725, NotAuthorized = 606;

    private static readonly TimeSpan SearchPatience = TimeSpan.FromSeconds(3), SearchAgain = TimeSpan.FromSeconds(1), RequestPatience = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromHours(1);

    private UpnpService? _service;

    /// <summary>Looks for the service, unless it is known.</summary>
    /// <exception cref="MappingException">No device of the router answers, or none maps ports.</exception>
    public async Task<UpnpService> FindAsync(CancellationToken cancellationToken)
    {
        if (_service is not null)
            return _service;
        HashSet<Uri> seen = [];
        bool hasDevice = false;
        await foreach (Uri location in SearchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (seen.Count == MaxCandidates || !seen.Add(location))
                continue;
            hasDevice = true;
            if (await DescribeAsync(location, cancellationToken).ConfigureAwait(false) is { } service)
                return _service = service;
        }

        throw new MappingException(hasDevice ? "spoken by it, but not to map ports" : "no answer") { IsAnswer = hasDevice };
    }

    public async Task<PortMapping> MapAsync(int internalPort, int wanted, CancellationToken cancellationToken)
    {
        UpnpService service = await FindAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            IPAddress address = await GetAddressAsync(service, cancellationToken).ConfigureAwait(false);
            (int port, TimeSpan lifetime) = await AddAsync(service, internalPort, wanted, cancellationToken).ConfigureAwait(false);
            return new PortMapping(MappingProtocol.Upnp, gateway, internalPort, new IPEndPoint(address, port), lifetime);
        }
        catch (MappingException)
        {
            _service = null; // it may be another device by now
            throw;
        }
    }

    public async Task<bool> IsThereAsync(PortMapping mapping, CancellationToken cancellationToken)
    {
        UpnpService service = await FindAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!mapping.External.Address.Equals(await GetAddressAsync(service, cancellationToken).ConfigureAwait(false)))
                return false;
            SoapAnswer entry = await CallAsync(service, "GetSpecificPortMappingEntry", [("NewRemoteHost", ""), ("NewExternalPort", Text(mapping.External.Port)), ("NewProtocol", "TCP")], cancellationToken).ConfigureAwait(false);
            if (entry.Error == NoSuchEntry)
                return false;
            // a router that cannot tell is believed to keep what it granted
            return entry.Error != 0 || (entry["NewInternalClient"] == gateway.Own.ToString() && entry["NewInternalPort"] == Text(mapping.InternalPort));
        }
        catch (MappingException)
        {
            _service = null; // after a restart it may listen on another port
            throw;
        }
    }

    public async Task RemoveAsync(PortMapping mapping, CancellationToken cancellationToken)
    {
        UpnpService service = await FindAsync(cancellationToken).ConfigureAwait(false);
        SoapAnswer answer = await CallAsync(service, "DeletePortMapping", [("NewRemoteHost", ""), ("NewExternalPort", Text(mapping.External.Port)), ("NewProtocol", "TCP")], cancellationToken).ConfigureAwait(false);
        if (answer.Error is not (0 or NoSuchEntry))
            throw Refused(answer);
    }

    /// <summary>Asks the group, and the router alone where multicast does not get through, and gives the places that the router answers with.</summary>
    private async IAsyncEnumerable<Uri> SearchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using IDatagramChannel channel = OpenSearch();
        byte[] buffer = new byte[SsdpMessage.MaxBytes];
        using Deadline all = new(SearchPatience, time, cancellationToken);
        int answers = 0;
        bool isAgain = false;
        while (!all.IsOver && answers < MaxAnswers)
        {
            await SendSearchAsync(channel, all.Token).ConfigureAwait(false);
            using Deadline round = new(isAgain ? SearchPatience : SearchAgain, time, all.Token);
            isAgain = true;
            while (answers < MaxAnswers && await ReceiveAsync(channel, buffer, round, cancellationToken).ConfigureAwait(false) is { } packet)
            {
                answers++;
                if (packet.From.Address.Equals(gateway.Router) && SsdpMessage.ReadLocation(buffer.AsSpan(0, packet.Length)) is { } location && UpnpService.IsOf(location, gateway.Router))
                    yield return location;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private IDatagramChannel OpenSearch()
    {
        try
        {
            return system.OpenSearch(gateway);
        }
        catch (SocketException error)
        {
            throw new MappingException($"it cannot be asked: {SocketErrors.Describe(error.SocketErrorCode)}", error);
        }
    }

    private async Task SendSearchAsync(IDatagramChannel channel, CancellationToken cancellationToken)
    {
        try
        {
            foreach (string target in SsdpMessage.Targets)
            {
                byte[] packet = SsdpMessage.Search(target);
                await channel.SendAsync(packet, new IPEndPoint(SsdpMessage.Group, SsdpMessage.Port), cancellationToken).ConfigureAwait(false);
                await channel.SendAsync(packet, new IPEndPoint(gateway.Router, SsdpMessage.Port), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (SocketException error)
        {
            throw new MappingException($"it cannot be asked: {SocketErrors.Describe(error.SocketErrorCode)}", error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // the time for searching is over
        }
    }

    private static async Task<(int Length, IPEndPoint From)?> ReceiveAsync(IDatagramChannel channel, Memory<byte> buffer, Deadline round, CancellationToken cancellationToken)
    {
        try
        {
            return await channel.ReceiveAsync(buffer, round.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (SocketException)
        {
            return (0, new IPEndPoint(IPAddress.None, 0)); // a port there is closed, which the rest of the search need not know
        }
    }

    private async Task<UpnpService?> DescribeAsync(Uri location, CancellationToken cancellationToken)
    {
        try
        {
            GatewayReply reply = await RequestAsync(location, null, default, UpnpService.MaxDescriptionBytes, cancellationToken).ConfigureAwait(false);
            if (reply.Status != (int)HttpStatusCode.OK)
                return null;
            foreach (UpnpService service in UpnpService.ReadAll(reply.Body, location, gateway.Router).Take(MaxCandidates))
            {
                // a router for DSL has two, of which one is connected
                if ((await CallAsync(service, "GetExternalIPAddress", [], cancellationToken).ConfigureAwait(false)).Address is not null)
                    return service;
            }

            return null;
        }
        catch (MappingException)
        {
            return null;
        }
    }

    private async Task<IPAddress> GetAddressAsync(UpnpService service, CancellationToken cancellationToken)
    {
        SoapAnswer answer = await CallAsync(service, "GetExternalIPAddress", [], cancellationToken).ConfigureAwait(false);
        return answer.Address ?? throw (answer.Error == 0 ? new MappingException("it has no address on its other side yet") { IsAnswer = true } : Refused(answer));
    }

    private async Task<(int Port, TimeSpan Lifetime)> AddAsync(UpnpService service, int internalPort, int wanted, CancellationToken cancellationToken)
    {
        TimeSpan lease = Lease;
        int port = wanted;
        string action = service.ChoosesPort ? "AddAnyPortMapping" : "AddPortMapping";
        for (int tries = 0; ; tries++)
        {
            SoapAnswer answer = await CallAsync(
                service,
                action,
                [
                    ("NewRemoteHost", ""),
                    ("NewExternalPort", Text(port)),
                    ("NewProtocol", "TCP"),
                    ("NewInternalPort", Text(internalPort)),
                    ("NewInternalClient", gateway.Own.ToString()),
                    ("NewEnabled", "1"),
                    ("NewPortMappingDescription", Description),
                    ("NewLeaseDuration", Text((int)lease.TotalSeconds)),
                ],
                cancellationToken).ConfigureAwait(false);
            if (answer.Error == 0)
                return (int.TryParse(answer["NewReservedPort"], NumberStyles.None, CultureInfo.InvariantCulture, out int reserved) && reserved is > 0 and <= ushort.MaxValue ? reserved : port, lease);
            if (tries == MaxPorts)
                throw Refused(answer);
            switch (answer.Error)
            {
                case Conflict:
                    port = random.Next(10_000, 60_000);
                    break;
                case SamePort when port != internalPort:
                    port = internalPort;
                    break;
                case InvalidAction when service.ChoosesPort && action != "AddPortMapping":
                    action = "AddPortMapping";
                    break;
                case OnlyPermanent or ArgumentInvalid or ActionFailed when lease > TimeSpan.Zero:
                    lease = TimeSpan.Zero; // some that know no leases say so by another error
                    break;
                default:
                    throw Refused(answer);
            }
        }
    }

    private async Task<SoapAnswer> CallAsync(UpnpService service, string action, IReadOnlyList<(string Name, string Value)> arguments, CancellationToken cancellationToken)
    {
        byte[] body = SoapMessage.Write(service.Type, action, arguments);
        GatewayReply reply = await RequestAsync(service.Control, $"\"{service.Type}#{action}\"", body, SoapMessage.MaxBytes, cancellationToken).ConfigureAwait(false);
        IReadOnlyDictionary<string, string>? values = SoapMessage.Read(reply.Body);
        return reply.Status == (int)HttpStatusCode.OK && values is not null ? new SoapAnswer(0, values) : new SoapAnswer(ErrorOf(values) ?? reply.Status, values ?? new Dictionary<string, string>());
    }

    private async Task<GatewayReply> RequestAsync(Uri url, string? action, byte[]? body, int maxBytes, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(RequestPatience, time, cancellationToken);
        try
        {
            return await system.RequestAsync(gateway, url, action, body, maxBytes, deadline.Token).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            throw new MappingException($"no answer at {url.Authority}: {error.Message}", error);
        }
        catch (OperationCanceledException error) when (deadline.IsOver)
        {
            throw new MappingException($"no answer at {url.Authority} within {RequestPatience.TotalSeconds:0} s", error);
        }
    }

    private static int? ErrorOf(IReadOnlyDictionary<string, string>? values) =>
        values is not null && values.TryGetValue("errorCode", out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code) && code != 0 ? code : null;

    private static MappingException Refused(SoapAnswer answer) => new(answer.Error switch
    {
        NotAuthorized => "refused: port mapping is switched off in it, or not allowed for this machine",
        Conflict => "it has given every port that was tried to others",
        _ => $"it answers with the error {answer.Error}{(answer["errorDescription"] is { } why ? $" ({UntrustedText.Clean(why)})" : "")}",
    })
    {
        IsAnswer = true,
    };

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private readonly record struct SoapAnswer(int Error, IReadOnlyDictionary<string, string> Values)
    {
        public string? this[string name] => Values.GetValueOrDefault(name);

        public IPAddress? Address =>
            Error == 0 && IPAddress.TryParse(this["NewExternalIPAddress"], out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetwork && !address.Equals(IPAddress.Any) ? address : null;
    }
}
