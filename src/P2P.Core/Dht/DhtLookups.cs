using Microsoft.Extensions.Logging;
using P2P.Core.Connections;
using P2P.Core.Diagnostics;

namespace P2P.Core.Dht;

/// <summary>
/// Runs lookups over the network and learns from them how large it is; asks and tells single contacts. Who fails leaves the table. Thread-safe.
/// </summary>
/// <param name="client">Sends requests.</param>
/// <param name="members">The table.</param>
/// <param name="settings">How.</param>
/// <param name="time">The clock.</param>
/// <param name="onCandidate">Told of a contact that may take a place that has become free.</param>
/// <param name="logger">Where its log goes.</param>
/// <param name="stopping">Ends everything.</param>
internal sealed class DhtLookups(DhtClient client, DhtMembers members, DhtNodeSettings settings, TimeProvider time, Action<Contact> onCandidate, ILogger logger, CancellationToken stopping)
{
    private readonly Lock _gate = new(); // guards _size
    private readonly NetworkSize _size = new();

    /// <summary>How many nodes there are; null: not known yet.</summary>
    public double? NetworkSize
    {
        get
        {
            lock (_gate)
                return _size.Estimate(members.Now);
        }
    }

    /// <summary>The part of the keyspace around a key in which twenty nodes are expected; null: it is not known how many there are.</summary>
    public ProviderRegion? RegionOf(DhtKey key)
    {
        lock (_gate)
            return _size.EstimateAwayFrom(key, members.Now) is { } size ? ProviderRegion.Of(key, size) : null;
    }

    /// <summary>Runs a lookup.</summary>
    /// <param name="plan">What for and how.</param>
    /// <param name="onAnswer">Told of each answer; true ends the lookup.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<DhtLookupResult> RunAsync(DhtLookupPlan plan, Func<ILookup, Contact, DhtMessage, bool> onAnswer, CancellationToken cancellationToken)
    {
        DhtKey target = DhtKey.Of(plan.Request.Key.Span);
        Contact[] seeds = plan.Seeds.Count > 0 ? [.. plan.Seeds] : members.Closest(target, settings.Lookup.K);
        ILookup lookup = plan.Paths > 1 ? new DisjointLookup(target, seeds, plan.Paths, settings.Lookup, members.Own) : new Lookup(target, seeds, settings.Lookup, members.Own);
        var defence = new LookupDefence(RegionOf(target), plan.IsWholeRegion);
        bool isStopped = false;
        using Deadline deadline = new(settings.LookupTimeout, time, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
        long began = time.GetTimestamp();
        try
        {
            await new LookupRun(lookup, (contact, token) => TryAskAsync(contact, plan.Request, plan.Purpose, token), time).RunAsync(
                (from, answer) => isStopped |= onAnswer(lookup, from, answer),
                () => defence.TryExtend(lookup),
                stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            isStopped = true; // what was found until now is the result
        }

        List<Contact> closest = lookup.Closest;
        if (defence.IsRegion)
            DhtLog.Surrounded(logger, target, lookup.Requests);
        if (!isStopped && !defence.IsRegion)
            Learn(target, closest);
        DhtLog.LookupFinished(logger, target, lookup.Requests, closest.Count, time.GetElapsedTime(began).TotalMilliseconds);
        return new DhtLookupResult(closest, defence.ResponsibleOf(lookup));
    }

    /// <summary>Asks one contact; null: it could not be reached or gave no sound answer.</summary>
    public async Task<DhtMessage?> TryAskAsync(Contact contact, DhtMessage request, DialPurpose purpose, CancellationToken cancellationToken)
    {
        try
        {
            DhtMessage answer = await client.AskAsync(contact, request, purpose, cancellationToken).ConfigureAwait(false);
            members.OnAnswer(contact);
            return answer;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            OnFailure(contact, error);
            return null;
        }
    }

    /// <summary>Tells one contact something that has no answer; false: it could not be told.</summary>
    public async Task<bool> TryTellAsync(Contact contact, DhtMessage statement, DialPurpose purpose)
    {
        try
        {
            await client.TellAsync(contact, statement, purpose, stopping).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException or OperationCanceledException)
        {
            if (error is not OperationCanceledException)
                OnFailure(contact, error);
            return false;
        }
    }

    /// <summary>Tells one contact many things that have no answer; false: it could not be told all of them.</summary>
    public async Task<bool> TryTellAllAsync(Contact contact, IEnumerable<DhtMessage> statements, DialPurpose purpose, CancellationToken cancellationToken)
    {
        try
        {
            await client.TellAllAsync(contact, statements, purpose, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is IOException or P2PException or ObjectDisposedException)
        {
            OnFailure(contact, error);
            return false;
        }
    }

    private void Learn(DhtKey target, List<Contact> closest)
    {
        lock (_gate)
            _size.Add(target, closest, members.Now);
    }

    private void OnFailure(Contact contact, Exception error)
    {
        DhtLog.RequestFailed(logger, contact.Peer, UntrustedText.Clean(error.Message));
        if (members.OnFailure(contact.Key, contact.Peer, "it failed") is { } candidate && !stopping.IsCancellationRequested)
            onCandidate(candidate);
    }
}

/// <summary>What a lookup is for and how it is made.</summary>
/// <param name="Request">What each contact is asked; its key is the preimage of the target.</param>
/// <param name="Purpose">Which dial budget pays.</param>
internal sealed record DhtLookupPlan(DhtMessage Request, DialPurpose Purpose)
{
    /// <summary>Contacts to begin with; empty: the closest of the table.</summary>
    public IReadOnlyCollection<Contact> Seeds { get; init; } = [];

    /// <summary>Whether everybody in the region of the key is asked when the closest look as if somebody had made them.</summary>
    public bool IsWholeRegion { get; init; }

    /// <summary>Along how many paths that share no contact.</summary>
    public int Paths { get; init; } = 1;
}

/// <summary>What a lookup found.</summary>
/// <param name="Closest">The closest that answered, the closest first.</param>
/// <param name="Responsible">Those who have to keep what belongs to the key: the closest, or all of the region when the key is surrounded.</param>
internal readonly record struct DhtLookupResult(IReadOnlyList<Contact> Closest, IReadOnlyList<Contact> Responsible);
