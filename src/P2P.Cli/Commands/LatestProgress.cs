namespace P2P.Cli.Commands;

/// <summary>Keeps the last report, for whoever looks four times a second. Reports come on any thread.</summary>
internal sealed class LatestProgress<T> : IProgress<T>
    where T : struct
{
    private readonly Lock _gate = new(); // guards _value
    private T? _value;

    /// <summary>The last report; null before the first.</summary>
    public T? Value
    {
        get
        {
            lock (_gate)
                return _value;
        }
    }

    public void Report(T value)
    {
        lock (_gate)
            _value = value;
    }
}
