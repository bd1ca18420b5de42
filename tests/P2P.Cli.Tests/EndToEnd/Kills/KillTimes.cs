using System.Collections.Concurrent;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>
/// How long each command takes on this machine when it is left alone, so that kills spread over all of it: half of them over the whole run, start-up
/// included, half over the time in which it works.
/// </summary>
internal sealed class KillTimes
{
    private const double NewShare = 0.3; // how much of the mean the latest run is
    private const double Beyond = 1.05; // a little past the end, so that the last steps are met too

    private static readonly Span FirstGuess = new(TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(0.8));

    private readonly ConcurrentDictionary<string, Span> _spans = new();

    /// <summary>Draws the moment of a kill, from the start of the process.</summary>
    public TimeSpan Draw(string command, Random random)
    {
        Span span = _spans.GetValueOrDefault(command, FirstGuess);
        bool isAtWork = random.Next(2) == 0;
        double part = random.NextDouble();
        TimeSpan from = isAtWork ? span.Work : TimeSpan.Zero;
        return from + ((span.End * Beyond) - from) * part;
    }

    /// <summary>Learns from a run that was left alone.</summary>
    /// <param name="command">Which command.</param>
    /// <param name="work">When its first event came.</param>
    /// <param name="end">When it had done its work.</param>
    public void Learn(string command, TimeSpan work, TimeSpan end) => _spans.AddOrUpdate(
        command, new Span(work, end), (_, old) => new Span(Mean(old.Work, work), Mean(old.End, end)));

    public override string ToString() =>
        string.Join(", ", _spans.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value.Work.TotalMilliseconds:F0} to {one.Value.End.TotalMilliseconds:F0} ms"));

    private static TimeSpan Mean(TimeSpan old, TimeSpan latest) => (old * (1 - NewShare)) + (latest * NewShare);

    private readonly record struct Span(TimeSpan Work, TimeSpan End);
}
