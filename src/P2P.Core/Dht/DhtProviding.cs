using Microsoft.Extensions.Logging;
using P2P.Core.Connections;

namespace P2P.Core.Dht;

/// <summary>
/// Announces one key: tells the nodes around it while they are still being looked for, and comes back when most have taken it; the rest goes on behind.
/// See <see cref="OptimisticProvide"/>.
/// </summary>
internal sealed class DhtProviding(DhtLookups lookups, BackgroundWork work, ILogger logger)
{
    /// <summary>Announces.</summary>
    /// <param name="key">The multihash.</param>
    /// <param name="self">This node with its addresses.</param>
    /// <param name="purpose">Which dial budget pays.</param>
    /// <param name="cancellationToken">Ends the lookup and the wait; who was told stays told.</param>
    public async Task<ProvideResult> ProvideAsync(ReadOnlyMemory<byte> key, Contact self, DialPurpose purpose, CancellationToken cancellationToken)
    {
        DhtKey target = DhtKey.Of(key.Span);
        ProviderRegion? region = lookups.RegionOf(target);
        var plan = new OptimisticProvide(target, lookups.NetworkSize);
        var statement = new DhtMessage { Type = DhtMessageType.AddProvider, Key = key, ProviderPeers = [self] };
        var changed = new SemaphoreSlim(0); // no handle is ever made of it, and the last to release it may come after the end
        DhtLookupResult found = await lookups.RunAsync(
            new DhtLookupPlan(new DhtMessage { Type = DhtMessageType.FindNode, Key = key }, purpose) { IsWholeRegion = true },
            (lookup, _, _) => OnAnswer(lookup),
            cancellationToken).ConfigureAwait(false);
        lock (plan)
            Tell(plan.Rest(found.Responsible));
        while (true)
        {
            lock (plan)
            {
                if (plan.IsEnough || plan.IsAnswered)
                    break;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        ProvideResult result;
        lock (plan)
            result = new ProvideResult(plan.TakenOf(found.Responsible), found.Responsible.Count);
        DhtLog.Provided(logger, target, result.Told, result.Of);
        return result;

        bool OnAnswer(ILookup lookup)
        {
            lock (plan)
            {
                Tell(plan.Early((Lookup)lookup));
                return plan.IsLookupEnough(lookup) && region?.IsSuspicious(lookup.Closest) != true;
            }
        }

        void Tell(List<Contact> contacts)
        {
            foreach (Contact contact in contacts)
                work.Add(TellAsync(contact));
        }

        async Task TellAsync(Contact contact)
        {
            bool isTaken = await lookups.TryTellAsync(contact, statement, purpose).ConfigureAwait(false);
            lock (plan)
                plan.OnAnswer(contact.Key, isTaken);
            changed.Release();
        }
    }
}
