using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2P.Core.Addresses;
using P2P.Core.Diagnostics;
using P2P.Core.Transport;

namespace P2P.Core.Connections;

/// <summary>Reaches a peer at one of its addresses: staggered attempts, the first authenticated one wins. Keeps the rules for addresses told by others.</summary>
internal sealed class Dialer(
    ConnectionUpgrader upgrader, IReadOnlyList<ITransport> transports, AddressBook book, NearNetworks near, BandwidthLimits bandwidth, ConnectionOptions options, TimeProvider time, Random random, ILogger logger, P2PMetrics? metrics = null)
    : IDisposable
{
    /// <summary>Answers of one name that are used (count).</summary>
    private const int MaxNameAnswers = 16;

    private const string HeldBack = "held back: several handshakes failed there lately", InVain = "held back: dialed in vain too often within a minute";

    private readonly NamedAddresses _named = new(options.ResolveTexts);
    private readonly DialBudget _budget = new(options, time);

    /// <summary>Whom to leave alone for a while.</summary>
    public DialBackoff Backoff { get; } = new(time, random);

    /// <summary>Runs a dial until it has a channel, nothing is left to try, or nobody wants it any more.</summary>
    /// <returns>The channel, or null when the peer was connected in another way meanwhile.</returns>
    /// <exception cref="P2PException">Unreachable, with all attempts.</exception>
    public async Task<UpgradedConnection?> DialAsync(DialJob job)
    {
        DialSchedule schedule = new(options.DialStagger, options.MaxAddressesPerDial, time.TimestampFrequency);
        List<DialAttempt> attempts = [];
        List<Task<Outcome>> running = [];
        using CancellationTokenSource won = new();
        using CancellationTokenSource handshake = CancellationTokenSource.CreateLinkedTokenSource(job.Unwanted, won.Token);
        using CancellationTokenSource start = CancellationTokenSource.CreateLinkedTokenSource(handshake.Token, job.Satisfied);
        UpgradedConnection? channel = null;
        try
        {
            while (channel is null)
            {
                Task changed = job.Changed; // before taking, so that no offer is missed
                schedule.Add(Screen(job.TakeOffered(), attempts));
                if (job.Satisfied.IsCancellationRequested)
                {
                    schedule.Stop();
                }

                DialStep step = schedule.Next(time.GetTimestamp());
                if (step.Kind == DialStepKind.Dial)
                {
                    running.Add(Task.Run(() => AttemptAsync(job, step.Address, start.Token, handshake.Token), CancellationToken.None));
                    continue;
                }

                if (step.Kind == DialStepKind.Exhausted)
                {
                    break;
                }

                await WaitAsync(running, changed, step.Delay, job.Unwanted).ConfigureAwait(false);
                job.Unwanted.ThrowIfCancellationRequested();
                foreach (Task<Outcome> ended in running.Where(task => task.IsCompleted).ToArray())
                {
                    running.Remove(ended);
                    schedule.OnEnded();
                    Outcome outcome = await ended.ConfigureAwait(false);
                    schedule.Add(Screen(outcome.Resolved, attempts));
                    if (outcome.Failure is { } failure)
                    {
                        ConnectionsLog.DialFailed(logger, job.Peer, failure.Address, failure.Error);
                        attempts.Add(failure);
                    }

                    if (outcome.Channel is { } reached)
                    {
                        if (channel is null)
                        {
                            channel = reached;
                        }
                        else
                        {
                            await reached.Channel.DisposeAsync().ConfigureAwait(false);
                        }
                    }
                }
            }
        }
        finally
        {
            await won.CancelAsync().ConfigureAwait(false);
            foreach (Task<Outcome> late in running)
            {
                Outcome outcome = await late.ConfigureAwait(false);
                if (outcome.Channel is { } second)
                {
                    await second.Channel.DisposeAsync().ConfigureAwait(false);
                }
            }
        }

        if (channel is { } reachedAt)
        {
            Backoff.OnPeerReached(job.Peer);
            book.Add(job.Peer, [reachedAt.Channel.RemoteAddress], AddressSourceKind.Reached);
            return channel;
        }

        if (job.Satisfied.IsCancellationRequested)
        {
            return null;
        }

        Backoff.OnPeerFailed(job.Peer);
        throw Unreachable(job.Peer, attempts);
    }

    public void Dispose() => _budget.Dispose();

    /// <summary>The failure that callers see.</summary>
    internal static P2PException Unreachable(PeerId peer, IReadOnlyList<DialAttempt> attempts) => new(
        P2PErrorCode.Unreachable,
        attempts.Count switch
        {
            0 => $"Peer {peer} could not be reached: no address of it is known. Give one, for example with the link.",
            1 => $"Peer {peer} could not be reached at {attempts[0].Address}: {attempts[0].Error}. Check that it is running and that the address is right.",
            _ => $"Peer {peer} could not be reached at any of {attempts.Count} addresses, for example {attempts[0].Address}: {attempts[0].Error}. "
                + "Check that it is running and that the addresses are right.",
        })
    {
        IsTransient = true,
        Attempts = attempts,
    };

    /// <summary>Leaves out what may not or cannot be dialed, and says why.</summary>
    private List<KnownAddress> Screen(IReadOnlyList<KnownAddress> addresses, List<DialAttempt> attempts)
    {
        List<KnownAddress> kept = [];
        if (addresses.Count == 0)
        {
            return kept;
        }

        IReadOnlyList<IPNetwork> onLink = near.OnLink;
        foreach (KnownAddress known in addresses)
        {
            string? why =
                !known.Address.TryGetDnsHost(out _, out _, out _) && !transports.Any(transport => transport.CanDial(known.Address)) ? "no transport for this kind of address"
                : !AddressPolicy.MayDial(known.Address, known.Origin, onLink) ? "not dialed: not reachable from this machine's networks"
                : null;
            if (why is null)
            {
                kept.Add(known);
            }
            else if (!attempts.Any(attempt => attempt.Address == known.Address.WithoutPeerId().ToString()))
            {
                attempts.Add(new DialAttempt(known.Address.WithoutPeerId().ToString(), why));
            }
        }

        return kept;
    }

    private async Task WaitAsync(List<Task<Outcome>> running, Task changed, TimeSpan? delay, CancellationToken cancellationToken)
    {
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task timer = Task.Delay(delay ?? Timeout.InfiniteTimeSpan, time, enough.Token);
        await Task.WhenAny([.. running, changed, timer]).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
    }

    private async Task<Outcome> AttemptAsync(DialJob job, KnownAddress known, CancellationToken start, CancellationToken handshake)
    {
        string text = known.Address.ToString();
        try
        {
            if (known.Address.TryGetDnsHost(out string? host, out int port, out DnsKind kind))
            {
                return new Outcome(null, null, await ResolveAsync(job.Peer, host, port, kind, known.Origin, start).ConfigureAwait(false));
            }

            IPAddress? ip = known.Address.TryGetEndPoint(out IPEndPoint? endPoint) ? endPoint.Address : null;
            if (IsHeldBack(known, ip))
            {
                return Outcome.Failed(text, HeldBack);
            }

            using IDisposable place = await _budget.EnterAsync(ip, near.Contains(known.Address), job.Purpose, start).ConfigureAwait(false);
            if (IsHeldBack(known, ip))
            {
                return Outcome.Failed(text, HeldBack); // others have failed there while this one waited for its place
            }

            if (ip is null || known.Origin != AddressOrigin.Peer || near.Contains(known.Address))
            {
                return await ReachAsync(job, known.Address, ip, start, handshake).ConfigureAwait(false);
            }

            if (!Backoff.TryBegin(ip))
            {
                return Outcome.Failed(text, InVain);
            }

            Outcome outcome = await ReachAsync(job, known.Address, ip, start, handshake).ConfigureAwait(false);
            if (outcome.Channel is not null)
            {
                Backoff.OnReached(ip);
            }

            return outcome;
        }
        catch (IOException error)
        {
            return Outcome.Failed(text, UntrustedText.Clean(error.Message));
        }
        catch (SocketException error)
        {
            return Outcome.Failed(text, error.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData ? "no such host name" : error.Message);
        }
        catch (OperationCanceledException)
        {
            return Outcome.Failed(text, "given up");
        }
    }

    /// <summary>From the first packet to the end of the handshake: what the metrics call a dial.</summary>
    private async Task<Outcome> ReachAsync(DialJob job, Multiaddress address, IPAddress? ip, CancellationToken start, CancellationToken handshake)
    {
        using Activity? activity = P2PActivities.Source.StartActivity(P2PActivities.Dial);
        long began = time.GetTimestamp();
        DialOutcome outcome = DialOutcome.Cancelled;
        bool isAnswered = false;
        try
        {
            ITransportConnection connection = await ConnectAsync(address, start).ConfigureAwait(false);
            isAnswered = true;
            UpgradedConnection reached = await upgrader.DialAsync(connection, job.Peer, handshake).ConfigureAwait(false);
            outcome = DialOutcome.Connected;
            return new Outcome(reached, null, []);
        }
        catch (IOException error)
        {
            if (isAnswered && ip is not null && !handshake.IsCancellationRequested)
            {
                Backoff.OnHandshakeFailed(ip);
            }

            if (!handshake.IsCancellationRequested)
            {
                outcome = error.InnerException is OperationCanceledException ? DialOutcome.TimedOut : isAnswered ? DialOutcome.Rejected : DialOutcome.Unreachable;
            }

            return Outcome.Failed(address.ToString(), UntrustedText.Clean(error.Message));
        }
        finally
        {
            metrics?.Dialed(outcome, time.GetElapsedTime(began));
        }
    }

    private async Task<ITransportConnection> ConnectAsync(Multiaddress address, CancellationToken cancellationToken)
    {
        ITransport transport = transports.First(candidate => candidate.CanDial(address));
        using Deadline deadline = new(options.DialTimeout, time, cancellationToken);
        try
        {
            return bandwidth.Apply(await transport.DialAsync(address, deadline.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException error) when (deadline.IsOver)
        {
            throw new IOException($"no answer in {options.DialTimeout.TotalSeconds:0.#} s", error);
        }
    }

    private async Task<IReadOnlyList<KnownAddress>> ResolveAsync(PeerId peer, string host, int port, DnsKind kind, AddressOrigin origin, CancellationToken cancellationToken)
    {
        using Deadline deadline = new(options.DialTimeout, time, cancellationToken);
        try
        {
            if (kind == DnsKind.Dnsaddr)
            {
                return [.. (await _named.FindAsync(host, peer, deadline.Token).ConfigureAwait(false)).Select(address => new KnownAddress(address, origin))];
            }

            IPAddress[] answers = await options.ResolveHost(host, deadline.Token).ConfigureAwait(false);
            KnownAddress[] resolved = [.. answers
                .Where(answer => kind switch
                {
                    DnsKind.Dns4 => answer.AddressFamily == AddressFamily.InterNetwork,
                    DnsKind.Dns6 => answer.AddressFamily == AddressFamily.InterNetworkV6,
                    _ => true,
                })
                .Take(MaxNameAnswers)
                .Select(answer => new KnownAddress(Multiaddress.FromEndPoint(new IPEndPoint(answer, port)), origin))];
            return resolved.Length > 0 ? resolved : throw new IOException("the name has no address");
        }
        catch (OperationCanceledException error) when (deadline.IsOver)
        {
            throw new IOException($"the name was not resolved in {options.DialTimeout.TotalSeconds:0.#} s", error);
        }
        catch (ArgumentException error)
        {
            // what the resolver says of names that are too long, are no names, or are the unspecified address
            throw new IOException("not a name that can be resolved", error);
        }
    }

    private bool IsHeldBack(in KnownAddress known, IPAddress? ip) => ip is not null && known.Origin == AddressOrigin.Peer && Backoff.IsHeldBack(ip);

    private readonly record struct Outcome(UpgradedConnection? Channel, DialAttempt? Failure, IReadOnlyList<KnownAddress> Resolved)
    {
        public static Outcome Failed(string address, string error) => new(null, new DialAttempt(address, error), []);
    }
}
