namespace P2P.Core.Node;

/// <summary>What the operator should know, the last 100; the same sentence is kept once.</summary>
internal sealed class NodeWarnings
{
    private const int Kept = 100;

    private readonly Lock _gate = new(); // guards _warnings
    private readonly List<NodeWarning> _warnings = [];

    /// <summary>Adds a warning. False: it is there already.</summary>
    public bool Add(string code, string message)
    {
        var warning = new NodeWarning(code, message);
        lock (_gate)
        {
            if (_warnings.Contains(warning))
                return false;
            if (_warnings.Count == Kept)
                _warnings.RemoveAt(0);
            _warnings.Add(warning);
            return true;
        }
    }

    public IReadOnlyList<NodeWarning> ToList()
    {
        lock (_gate)
            return [.. _warnings];
    }
}
