namespace P2P.Simulation;

/// <summary>What happens when, in virtual time: one thread, and the same order every time. What is due at one instant happens in the order of planning.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Action, (long Due, long Order)> _queue = new();
    private long _order;

    /// <summary>Now (ticks of 100 ns since the start).</summary>
    public long Now { get; private set; }

    /// <summary>Plans something.</summary>
    public void After(TimeSpan delay, Action action) => _queue.Enqueue(action, (Now + Math.Max(0, delay.Ticks), _order++));

    /// <summary>Lets time pass until nothing is planned any more or the end is reached.</summary>
    public void Run(TimeSpan until)
    {
        while (_queue.TryPeek(out _, out (long Due, long Order) at) && at.Due <= until.Ticks)
        {
            Action action = _queue.Dequeue();
            Now = at.Due;
            action();
        }

        Now = Math.Max(Now, until.Ticks);
    }
}
