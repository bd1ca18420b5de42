using System.Threading.Channels;

namespace P2P.Core.Dht;

/// <summary>Drives one <see cref="ILookup"/>: sends what it asks for, as many at once as it wants, and reports back.</summary>
/// <param name="lookup">The lookup.</param>
/// <param name="ask">Asks one contact; null: it could not be reached or gave no sound answer.</param>
/// <param name="time">The clock.</param>
internal sealed class LookupRun(ILookup lookup, Func<Contact, CancellationToken, Task<DhtMessage?>> ask, TimeProvider time)
{
    private readonly Channel<(Contact Contact, DhtMessage? Answer)> _answers =
        Channel.CreateUnbounded<(Contact, DhtMessage?)>(new UnboundedChannelOptions { SingleReader = true }); // no more than the lookup asks: bounded by its settings

    private readonly long _started = time.GetTimestamp();
    private bool _isEnded;

    /// <summary>Runs to the end.</summary>
    /// <param name="onAnswer">Told of each answer; true ends the lookup.</param>
    /// <param name="mayGoOn">Asked when the lookup has come to its end by itself: true, and it goes on.</param>
    /// <param name="cancellationToken">Ends it, with all its requests.</param>
    public async Task RunAsync(Func<Contact, DhtMessage, bool> onAnswer, Func<bool> mayGoOn, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> requests = [];
        try
        {
            while (true)
            {
                LookupStep step = lookup.Next(Now);
                if (step.Kind == LookupStepKind.Done)
                {
                    if (_isEnded || !mayGoOn())
                        return;
                    continue;
                }

                if (step.Kind == LookupStepKind.Ask)
                {
                    requests.Add(AskAsync(step.Contact!, stop.Token));
                    continue;
                }

                await WaitAsync(step.Until, cancellationToken).ConfigureAwait(false);
                while (_answers.Reader.TryRead(out (Contact Contact, DhtMessage? Answer) one))
                    Take(one.Contact, one.Answer, onAnswer);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(requests).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // each has reported its failure, or was cancelled here
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_started);

    private void Take(Contact contact, DhtMessage? answer, Func<Contact, DhtMessage, bool> onAnswer)
    {
        if (answer is null)
        {
            lookup.OnFailure(contact.Key);
            return;
        }

        Contact[] closer = [.. answer.CloserPeers.Take(DhtMessageCodec.MaxCloserPeers)];
        if (lookup.OnReply(contact.Key, closer) && onAnswer(contact, answer))
        {
            _isEnded = true;
            lookup.Stop();
        }
    }

    private async Task AskAsync(Contact contact, CancellationToken cancellationToken)
    {
        DhtMessage? answer = null;
        try
        {
            answer = await ask(contact, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _answers.Writer.TryWrite((contact, answer));
        }
    }

    private async Task WaitAsync(TimeSpan until, CancellationToken cancellationToken)
    {
        if (until == TimeSpan.MaxValue)
        {
            await _answers.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        TimeSpan left = until - Now;
        if (left <= TimeSpan.Zero)
            return;
        using CancellationTokenSource enough = new(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
        try
        {
            await _answers.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // somebody is slow now: the lookup decides
        }
    }
}
