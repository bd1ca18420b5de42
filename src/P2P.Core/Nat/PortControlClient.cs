using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using P2P.Core.Connections;
using P2P.Core.Transport;

namespace P2P.Core.Nat;

/// <summary>
/// Asks a router by PCP or, when it speaks only that, by NAT-PMP, which have one port. Both are asked at first: routers that know PCP know NAT-PMP too, while
/// those of before 2013 answer a PCP request with an error, or not at all. Not thread-safe.
/// </summary>
internal sealed class PortControlClient(Gateway gateway, IGatewaySystem system, TimeProvider time) : IPortMapper
{
    /// <summary>The port of both protocols.</summary>
    public const int Port = 5351;

    /// <summary>Asked for, as RFC 6886 recommends; a router may grant less.</summary>
    private static readonly TimeSpan Wanted = TimeSpan.FromHours(2);

    /// <summary>Waiting for an answer before the request is sent once more, and at last given up: a network of one hop answers within milliseconds or not at all.</summary>
    private static readonly TimeSpan[] Patience = [TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    private readonly Dictionary<int, byte[]> _nonces = []; // by internal port
    private readonly GatewayEpoch _epoch = new(time);
    private bool _hasRestarted;
    private MappingProtocol? _spoken;

    public async Task<PortMapping> MapAsync(int internalPort, int wanted, CancellationToken cancellationToken)
    {
        using IDatagramChannel channel = Open();
        MappingProtocol spoken = _spoken ?? await ProbeAsync(channel, cancellationToken).ConfigureAwait(false);
        _spoken = null; // if it fails, it may be another router by now
        PortMapping mapping = spoken == MappingProtocol.Pcp
            ? await MapByPcpAsync(channel, internalPort, wanted, cancellationToken).ConfigureAwait(false)
            : await MapByNatPmpAsync(channel, internalPort, wanted, cancellationToken).ConfigureAwait(false);
        (_spoken, _hasRestarted) = (spoken, false);
        return mapping;
    }

    public async Task<bool> IsThereAsync(PortMapping mapping, CancellationToken cancellationToken)
    {
        using IDatagramChannel channel = Open();
        if (mapping.Protocol == MappingProtocol.Pcp)
        {
            PcpResponse answer = await AskAsync<PcpResponse>(channel, [PcpMessage.AnnounceRequest(gateway.Own)], static packet => ReadPcp(packet, PcpMessage.AnnounceOpcode), cancellationToken).ConfigureAwait(false);
            Note(answer.Epoch);
            return !_hasRestarted && !_epoch.IsYoung; // a changed address restarts the count, RFC 6887, 8.5
        }

        NatPmpResponse address = await AskAsync<NatPmpResponse>(channel, [NatPmpMessage.AddressRequest()], static packet => ReadNatPmp(packet, NatPmpMessage.AddressOpcode), cancellationToken).ConfigureAwait(false);
        Note(address.Epoch);
        return !_hasRestarted && !_epoch.IsYoung && mapping.External.Address.Equals(address.Address);
    }

    public async Task RemoveAsync(PortMapping mapping, CancellationToken cancellationToken)
    {
        using IDatagramChannel channel = Open();
        if (mapping.Protocol == MappingProtocol.Pcp)
            await SendPcpAsync(channel, mapping.InternalPort, 0, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        else
            await SendNatPmpAsync(channel, mapping.InternalPort, 0, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        _nonces.Remove(mapping.InternalPort);
    }

    private IDatagramChannel Open()
    {
        try
        {
            return system.Connect(gateway, Port);
        }
        catch (SocketException error)
        {
            throw new MappingException($"it cannot be asked: {SocketErrors.Describe(error.SocketErrorCode)}", error);
        }
    }

    private Task<MappingProtocol> ProbeAsync(IDatagramChannel channel, CancellationToken cancellationToken) => AskAsync<MappingProtocol>(
        channel,
        [PcpMessage.AnnounceRequest(gateway.Own), NatPmpMessage.AddressRequest()],
        static packet => PcpMessage.TryRead(packet.Span, out PcpResponse pcp) && pcp.Result != 1 ? MappingProtocol.Pcp
            : NatPmpMessage.TryRead(packet.Span, out NatPmpResponse pmp) && pmp.Opcode == NatPmpMessage.AddressOpcode && pmp.Result != 1 ? MappingProtocol.NatPmp
            : null,
        cancellationToken);

    private async Task<PortMapping> MapByPcpAsync(IDatagramChannel channel, int internalPort, int wanted, CancellationToken cancellationToken)
    {
        PcpResponse answer = await SendPcpAsync(channel, internalPort, wanted, Wanted, cancellationToken).ConfigureAwait(false);
        if (answer is not { External: { Port: > 0 } external, Lifetime: > 0 })
            throw new MappingException("it gives a port that is none");
        return new PortMapping(MappingProtocol.Pcp, gateway, internalPort, external, TimeSpan.FromSeconds(answer.Lifetime));
    }

    private async Task<PcpResponse> SendPcpAsync(IDatagramChannel channel, int internalPort, int wanted, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        if (!_nonces.TryGetValue(internalPort, out byte[]? nonce))
            _nonces[internalPort] = nonce = RandomNumberGenerator.GetBytes(PcpMessage.NonceBytes); // who guesses it takes the mapping away
        PcpResponse answer = await AskAsync<PcpResponse>(
            channel,
            [PcpMessage.MapRequest(gateway.Own, nonce, internalPort, wanted, lifetime)],
            packet => ReadPcp(packet, PcpMessage.MapOpcode) is { } read && (read.Nonce is null || (read.Nonce.AsSpan().SequenceEqual(nonce) && read.IsTcp && read.InternalPort == internalPort)) ? read : null,
            cancellationToken).ConfigureAwait(false);
        Note(answer.Epoch);
        return answer.Result == 0 ? answer : throw new MappingException(PcpMessage.Describe(answer.Result)) { IsAnswer = true };
    }

    private async Task<PortMapping> MapByNatPmpAsync(IDatagramChannel channel, int internalPort, int wanted, CancellationToken cancellationToken)
    {
        NatPmpResponse address = await AskAsync<NatPmpResponse>(channel, [NatPmpMessage.AddressRequest()], static packet => ReadNatPmp(packet, NatPmpMessage.AddressOpcode), cancellationToken).ConfigureAwait(false);
        if (address.Result != 0 || address.Address is null)
            throw new MappingException(NatPmpMessage.Describe(address.Result)) { IsAnswer = true };
        NatPmpResponse answer = await SendNatPmpAsync(channel, internalPort, wanted, Wanted, cancellationToken).ConfigureAwait(false);
        if (answer is not { ExternalPort: > 0, Lifetime: > 0 })
            throw new MappingException("it gives a port that is none");
        return new PortMapping(MappingProtocol.NatPmp, gateway, internalPort, new IPEndPoint(address.Address, answer.ExternalPort), TimeSpan.FromSeconds(answer.Lifetime));
    }

    private async Task<NatPmpResponse> SendNatPmpAsync(IDatagramChannel channel, int internalPort, int wanted, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        NatPmpResponse answer = await AskAsync<NatPmpResponse>(
            channel,
            [NatPmpMessage.MapRequest(internalPort, wanted, lifetime)],
            packet => ReadNatPmp(packet, NatPmpMessage.MapTcpOpcode) is { } read && (read.Result != 0 || read.InternalPort == internalPort) ? read : null,
            cancellationToken).ConfigureAwait(false);
        Note(answer.Epoch);
        return answer.Result == 0 ? answer : throw new MappingException(NatPmpMessage.Describe(answer.Result)) { IsAnswer = true };
    }

    private void Note(uint epoch) => _hasRestarted |= _epoch.Observe(epoch);

    private static PcpResponse? ReadPcp(ReadOnlyMemory<byte> packet, byte opcode) => PcpMessage.TryRead(packet.Span, out PcpResponse read) && read.Opcode == opcode ? read : null;

    private static NatPmpResponse? ReadNatPmp(ReadOnlyMemory<byte> packet, byte opcode) => NatPmpMessage.TryRead(packet.Span, out NatPmpResponse read) && read.Opcode == opcode ? read : null;

    /// <summary>Sends the requests, again when nothing comes, until an answer is one that is meant.</summary>
    private async Task<T> AskAsync<T>(IDatagramChannel channel, IReadOnlyList<byte[]> requests, Func<ReadOnlyMemory<byte>, T?> read, CancellationToken cancellationToken)
        where T : struct
    {
        byte[] buffer = new byte[PcpMessage.MaxBytes];
        bool isClosed = false;
        foreach (TimeSpan patience in Patience)
        {
            using Deadline deadline = new(patience, time, cancellationToken);
            try
            {
                foreach (byte[] request in requests)
                    await channel.SendAsync(request, to: null, deadline.Token).ConfigureAwait(false);
                while (true)
                {
                    (int length, _) = await channel.ReceiveAsync(buffer, deadline.Token).ConfigureAwait(false);
                    if (read(buffer.AsMemory(0, length)) is { } answer)
                        return answer;
                }
            }
            catch (OperationCanceledException) when (deadline.IsOver)
            {
                // once more
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
            {
                if (isClosed)
                    throw new MappingException("not spoken by it", error);
                isClosed = true; // a router that starts may open the port in a moment
                await Task.Delay(patience, time, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException error)
            {
                throw new MappingException($"it cannot be asked: {SocketErrors.Describe(error.SocketErrorCode)}", error);
            }
        }

        throw new MappingException("no answer");
    }
}
