namespace P2P.Core.Exchange;

// Who is late: what is taken away from a provider, what is asked of a second one beside it.
internal sealed partial class WantScheduler
{
    // providers that may be asked for the same block at the same time: as many liars may stand together
    private const int MaxAskedAtOnce = 4, MaxAskedAtOnceCritical = 8;

    /// <summary>Duplicates that one idle provider is given in one round.</summary>
    private const int MaxDuplicatesPerRound = 8;

    /// <summary>A provider silent for this long (or three round trips) is expected to stay silent for twice as long as it was.</summary>
    private static readonly TimeSpan SilenceNoticed = TimeSpan.FromSeconds(0.05);

    // asking twice must gain so much time to be worth the traffic
    private static readonly TimeSpan MinGain = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan MinGainCritical = TimeSpan.FromSeconds(0.03);

    private static void Excuse(Provider provider, TimeSpan now, TimeSpan elapsed)
    {
        provider.LastBytes = now;
        foreach (Assignment assignment in provider.Assignments)
            assignment.At += elapsed;
    }

    /// <summary>Wants that a provider holds for too long go to someone else; or are asked again if there is nobody and the provider is silent.</summary>
    private void FindLate(Provider provider, TimeSpan now)
    {
        LinkedListNode<Assignment>? node = provider.Assignments.First;
        while (node is not null)
        {
            Assignment assignment = node.Value;
            node = node.Next;
            Want want = assignment.Want;
            bool hasOther = HasOtherFor(want, provider);
            double rate = !hasOther ? provider.Rate : provider.Rate > 0 ? Math.Max(provider.Rate, TypicalRate() / MaxSlowness) : HopefulRate();
            TimeSpan expected = rate > 0 ? provider.Latency + TimeSpan.FromSeconds((assignment.BytesAhead + want.Bytes) / Math.Max(rate, 1)) : TimeSpan.Zero;
            if (now - assignment.At <= Max(MinPatience, PatienceFactor * expected))
                continue;
            if (hasOther)
            {
                provider.OnBrokenPromise();
                want.Tried |= provider.Bit;
                provider.Outbox.Add(WantEntry.ForCancel(want.Cid));
                provider.Release(assignment, now, settings.MaxWantsPerPeer);
                if (want.Assignments.Count == 0)
                    Enqueue(want);
            }
            else if (now - Max(assignment.At, provider.LastBytes) > (1 << Math.Min(assignment.Repeats, 4)) * MinPatience)
            {
                // nobody else: the want may have been lost on the way; while anything comes it has not
                provider.OnBrokenPromise();
                assignment.At = now;
                assignment.Repeats++;
                provider.Outbox.Add(WantEntry.ForBlock(want.Cid, PriorityOf(want)));
            }
        }
    }

    private bool HasOtherFor(Want want, Provider provider)
    {
        foreach (Provider other in _providers)
        {
            if (other != provider && other.IsAvailable && (want.Lacking & other.Bit) == 0 && (!other.IsLastResort || other.IsProven))
                return true;
        }

        return false;
    }

    /// <summary>What others wait for is asked of a second provider as soon as the first seems slow, room or not.</summary>
    private void HedgeCritical(TimeSpan now)
    {
        foreach (Want want in _critical)
        {
            if (want.Place != WantPlace.Asked || want.Assignments.Count >= MaxAskedAtOnceCritical)
                continue;
            TimeSpan expected = TimeSpan.MaxValue;
            foreach (Assignment assignment in want.Assignments)
                expected = Min(expected, Remaining(assignment, assignment.BytesAhead + want.Bytes, now));
            Provider? other = ChooseAnother(want);
            if (other is not null && IsWorthwhile(expected, other, want, MinGainCritical))
                Ask(want, other, now);
        }
    }

    /// <summary>Nothing is left to hand out: providers with room take over what the slowest hold, from the end of their lists.</summary>
    private void DuplicateForIdle(TimeSpan now)
    {
        foreach (Provider idle in _providers)
        {
            bool isStranger = !idle.IsProven && HasProvenOther(idle);
            for (int i = 0; i < MaxDuplicatesPerRound && idle.IsAvailable && !idle.IsLastResort && !isStranger; i++)
            {
                if (FindSlowest(idle, now) is not { } slowest || !HasRoom(idle, slowest.Want))
                    break;
                Ask(slowest.Want, idle, now);
            }
        }
    }

    private Assignment? FindSlowest(Provider idle, TimeSpan now)
    {
        Assignment? slowest = null;
        TimeSpan longest = TimeSpan.Zero;
        foreach (Provider owner in _providers)
        {
            if (owner == idle || !owner.IsAvailable)
                continue;
            long bytes = owner.OutstandingBytes;
            for (LinkedListNode<Assignment>? node = owner.Assignments.Last; node is not null; node = node.Previous)
            {
                Want want = node.Value.Want;
                TimeSpan remaining = Remaining(node.Value, bytes, now);
                bytes -= want.Bytes;
                if (remaining <= longest)
                    break;
                if (want.Assignments.Count >= MaxAskedAtOnce || IsAsked(want, idle) || (want.Lacking & idle.Bit) != 0 || (want.Tried & idle.Bit) != 0)
                    continue;
                if (!IsWorthwhile(remaining, idle, want, want.IsCritical ? MinGainCritical : MinGain))
                    break;
                (slowest, longest) = (node.Value, remaining);
            }
        }

        return slowest;
    }

    private Provider? ChooseAnother(Want want)
    {
        bool isPossible = false;
        return ChooseAmong(want, want.Lacking | want.Tried, lastResort: false, ref isPossible);
    }

    private bool IsWorthwhile(TimeSpan expected, Provider other, Want want, TimeSpan minGain) =>
        expected > (2 * other.TimeFor(other.OutstandingBytes + want.Bytes, HopefulRate())) + minGain;

    /// <summary>
    /// What is expected of a provider that nobody has measured yet when another is late. Those measured may all be crawling, by intent even, and
    /// say nothing about the rest.
    /// </summary>
    private double HopefulRate() => Math.Max(TypicalRate(), AssumedRate);

    /// <summary>
    /// How long a provider will still take for so many bytes. Who is silent is expected to stay so for twice as long, and what is overdue to
    /// take as long again as it did.
    /// </summary>
    private TimeSpan Remaining(Assignment assignment, long bytes, TimeSpan now)
    {
        Provider provider = assignment.Provider;
        TimeSpan expected = provider.TimeFor(bytes, TypicalRate());
        TimeSpan silent = now - provider.LastBytes;
        if (silent > Max(SilenceNoticed, 3 * provider.Latency))
            return Max(expected, 2 * silent);
        TimeSpan waited = now - assignment.At;
        return waited > (2 * provider.TimeFor(assignment.BytesAhead + assignment.Want.Bytes, TypicalRate())) + SilenceNoticed ? Max(expected, waited) : expected;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
