using P2P.Testing;

namespace P2P.Simulation;

/// <summary>
/// What content loses when everything is known and nothing goes wrong but that holders go: a model of its own, with none of the code that is judged by it.
/// Each unit is kept at the holders closest to it. Who has been away for the grace counts as gone; with fewer than the least number left a unit is copied at
/// once, with fewer than wanted after the wait; a copy takes its time to send, from whoever has one.
/// </summary>
internal sealed class ReferenceDurability
{
    private const double Grace = 0.25, Wait = 6, Admission = 1 / 6.0, WarmUp = 48; // hours
    private const int Extra = 3;

    private readonly DurabilitySettings _settings;
    private readonly SeededRandom _random;
    private readonly PriorityQueue<Action, (double At, long Order)> _events = new();
    private readonly List<Node> _nodes = [];
    private readonly List<Unit> _units = [];
    private readonly int _least;
    private double _now;
    private long _order;

    public ReferenceDurability(DurabilitySettings settings, ulong seed)
    {
        (_settings, _random) = (settings, new SeededRandom(seed));
        _least = Math.Min(3, settings.Target);
    }

    /// <summary>Blocks of which no copy is left.</summary>
    public int LostBlocks => _units.Where(static unit => unit.Holders.Count == 0).Sum(static unit => unit.Blocks);

    /// <summary>Units of which no copy is left.</summary>
    public int LostUnits => _units.Count(static unit => unit.Holders.Count == 0);

    /// <summary>Copies made for each block and day, those of the first placement left out.</summary>
    public double CopiesPerBlockAndDay => _units.Sum(static unit => unit.Made * unit.Blocks) / (_units.Sum(static unit => unit.Blocks) * (_now - WarmUp) / 24);

    /// <summary>Lets the nodes settle and places everything.</summary>
    public void Begin()
    {
        for (int i = 0; i < _settings.Nodes; i++)
            Come(new Node(Draw()));
        Until(WarmUp);
        for (int i = 0; i < _settings.SmallShares; i++)
            Keep(new Unit(Draw(), Blocks: 11), _settings.Target + Extra);
        for (int i = 0; i < _settings.LargeShares; i++)
        {
            for (int inner = 0; inner < 7; inner++)
                Keep(new Unit(Draw(), Blocks: 1), _settings.Target + Extra);
            for (int leaves = 1024; leaves > 0; leaves -= 174)
            {
                for (int run = Math.Min(174, leaves); run > 0; run -= 64)
                    Keep(new Unit(Draw(), Math.Min(64, run)), _settings.Target);
            }
        }
    }

    /// <summary>Goes on for a while.</summary>
    public void Advance(double hours) => Until(_now + hours);

    private ulong Draw()
    {
        byte[] bytes = new byte[8];
        _random.NextBytes(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private void Plan(double hours, Action action) => _events.Enqueue(action, (_now + hours, _order++));

    private void Until(double end)
    {
        while (_events.TryPeek(out Action? action, out (double At, long Order) next) && next.At <= end)
        {
            _events.Dequeue();
            _now = next.At;
            action();
        }

        _now = end;
    }

    // ---- nodes

    private double Exponential() => -Math.Log(1 - _random.NextDouble());

    private void Come(Node node)
    {
        _nodes.Add(node);
        Begin(node);
    }

    private void Begin(Node node)
    {
        (node.IsThere, node.Since) = (true, _now);
        double scale = _settings.MedianSession.TotalHours / Math.Pow(Math.Log(2), 2);
        Plan(scale * Math.Pow(Exponential(), 2), () => Go(node));
    }

    private void Go(Node node)
    {
        (node.IsThere, node.Since) = (false, _now);
        if (_random.NextDouble() >= _settings.Final)
        {
            Plan(_settings.MeanAbsence.TotalHours * Exponential(), () => Begin(node));
        }
        else
        {
            _nodes.Remove(node);
            foreach (Unit unit in node.Units)
                unit.Holders.Remove(node);
            Come(new Node(Draw()));
        }

        foreach (Unit unit in node.Units)
        {
            Plan(Grace, () => Look(unit));
        }
    }

    // ---- units

    private void Keep(Unit unit, int copies)
    {
        _units.Add(unit);
        Copy(unit, copies);
        unit.Made = 0;
    }

    private void Copy(Unit unit, int copies)
    {
        foreach (Node node in _nodes.Where(node => node.IsThere && _now - node.Since >= Admission && !unit.Holders.Contains(node)).OrderBy(node => node.Place ^ unit.Place).Take(copies))
        {
            unit.Holders.Add(node);
            node.Units.Add(unit);
            unit.Made++;
        }
    }

    /// <summary>Those that are there, or have not been away for the grace.</summary>
    private int Count(Unit unit) => unit.Holders.Count(node => node.IsThere || _now - node.Since < Grace);

    private void Look(Unit unit)
    {
        int count = Count(unit);
        if (count >= _settings.Target)
        {
            unit.BelowSince = null;
            return;
        }

        unit.BelowSince ??= _now;
        if (count < _least || _now - unit.BelowSince >= Wait)
            Repair(unit);
        else
            Plan(Math.Max(0.01, unit.BelowSince.Value + Wait - _now), () => Look(unit));
    }

    private void Repair(Unit unit)
    {
        if (unit.IsCopying || !unit.Holders.Exists(static node => node.IsThere))
            return; // looked at again with the next change
        unit.IsCopying = true;
        int copies = _settings.Target - Count(unit);
        Plan(copies * unit.Blocks * (double)(1 << 20) / _settings.TransferRate / 3600, () =>
        {
            unit.IsCopying = false;
            if (unit.Holders.Exists(static node => node.IsThere))
                Copy(unit, Math.Min(copies, _settings.Target - Count(unit)));
            unit.BelowSince = null;
            Look(unit);
        });
    }

    private sealed class Node(ulong place)
    {
        public ulong Place => place;

        public bool IsThere { get; set; }

        public double Since { get; set; }

        public HashSet<Unit> Units { get; } = [];
    }

    private sealed record Unit(ulong Place, int Blocks)
    {
        public List<Node> Holders { get; } = [];


        public double? BelowSince { get; set; }

        public bool IsCopying { get; set; }

        public int Made { get; set; }

        public bool Equals(Unit? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
    }
}
