namespace P2P.Core.Exchange;

/// <summary>What a session knows of one provider: what it was asked, how fast it is, and whether it keeps its promises.</summary>
internal sealed class Provider(PeerId peer, int index, int initialWindowBytes)
{
    /// <summary>So many denials in a row and a provider is asked last.</summary>
    private const int MaxDenialsInRow = 16;

    /// <summary>So many broken promises and a provider is asked last.</summary>
    private const int MaxBrokenPromises = 3;

    /// <summary>So many blocks in good order and one broken promise is forgiven.</summary>
    private const int BlocksToForgive = 16;

    /// <summary>The least window of a slow provider (bytes): two blocks, so that the line is never empty between them.</summary>
    private const int MinWindowBytes = 2 << 20;

    /// <summary>What a provider may have in hand besides the round trips: hides pauses of either side.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(0.5);

    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan FirstSampleInterval = TimeSpan.FromSeconds(0.02);
    private static readonly TimeSpan DefaultLatency = TimeSpan.FromSeconds(0.05);
    private static readonly TimeSpan TrustedAfter = TimeSpan.FromSeconds(1);

    private readonly int _initialWindowBytes = initialWindowBytes;
    private TimeSpan _sampleStart;
    private long _sampleBytes;
    private TimeSpan _busyTime;
    private bool _awaitsFirstByte;
    private int _blocksSinceFault;

    public PeerId Peer { get; } = peer;

    /// <summary>Its bit in the masks of the wants.</summary>
    public ulong Bit { get; } = 1UL << index;

    public int Index { get; } = index;

    public bool IsConnected { get; set; } = true;

    /// <summary>Not known to have the content yet: asked only whether it has the root.</summary>
    public bool IsCandidate { get; set; }

    /// <summary>It said that it lacks the root.</summary>
    public bool LacksRoot { get; set; }

    /// <summary>It could not be reached again; nobody waits for it any more.</summary>
    public bool IsGone { get; set; }

    /// <summary>What was asked and not answered, in the order of asking.</summary>
    public LinkedList<Assignment> Assignments { get; } = [];

    public long OutstandingBytes { get; private set; }

    /// <summary>How much may be asked at a time (bytes).</summary>
    public int WindowBytes { get; private set; } = initialWindowBytes;

    /// <summary>Whether the window is being filled; once full it is left alone until a quarter of it is free, so that wants travel in batches.</summary>
    public bool IsFilling { get; private set; } = true;

    /// <summary>Bytes a second while it was busy; 0 when not measured yet.</summary>
    public double Rate { get; private set; }

    /// <summary>From asking an idle provider to its first byte.</summary>
    public TimeSpan Latency { get; private set; } = DefaultLatency;

    /// <summary>The last time that bytes came, or that there was a reason to expect none.</summary>
    public TimeSpan LastBytes { get; set; }

    /// <summary>Verified bytes that it delivered first.</summary>
    public long VerifiedBytes { get; private set; }

    public long Blocks { get; private set; }

    public int DenialsInRow { get; private set; }

    /// <summary>Blocks that it sent and that nobody had asked for.</summary>
    public int WrongBlocks { get; set; }

    public int BrokenPromises { get; private set; }

    /// <summary>It has delivered.</summary>
    public bool IsProven => Blocks > 0;

    /// <summary>Asked only when nobody else can be.</summary>
    public bool IsLastResort => BrokenPromises >= MaxBrokenPromises || DenialsInRow >= MaxDenialsInRow;

    /// <summary>Whether it can be asked for blocks.</summary>
    public bool IsAvailable => IsConnected && !IsCandidate;

    /// <summary>Lines to send to it.</summary>
    public List<WantEntry> Outbox { get; } = [];

    public void SetLatency(TimeSpan? roundTrip) => Latency = roundTrip ?? DefaultLatency;

    /// <summary>Puts a want on its list.</summary>
    public Assignment Assign(Want want, TimeSpan now, int maxWants)
    {
        if (Assignments.Count == 0)
        {
            _sampleStart = now;
            _sampleBytes = 0;
            LastBytes = now;
            _awaitsFirstByte = true;
        }

        var assignment = new Assignment(want, this) { At = now, BytesAhead = OutstandingBytes };
        assignment.Node = Assignments.AddLast(assignment);
        want.Assignments.Add(assignment);
        OutstandingBytes += want.Bytes;
        if (OutstandingBytes + want.Bytes > WindowBytes || Assignments.Count >= maxWants)
            IsFilling = false;
        return assignment;
    }

    /// <summary>Takes a want off its list.</summary>
    public void Release(Assignment assignment, TimeSpan now, int maxWants)
    {
        Assignments.Remove(assignment.Node!);
        assignment.Want.Assignments.Remove(assignment);
        OutstandingBytes -= assignment.Want.Bytes;
        FillIfQuarterFree(maxWants);
        if (Assignments.Count == 0)
            Sample(now, FirstSampleInterval);
    }

    public void OnBytes(long bytes, TimeSpan now)
    {
        _sampleBytes += bytes;
        LastBytes = now;
        if (_awaitsFirstByte && Assignments.Count > 0)
        {
            _awaitsFirstByte = false;
            Latency = (0.7 * Latency) + (0.3 * (now - _sampleStart));
        }
    }

    public void OnBlock(int bytes)
    {
        VerifiedBytes += bytes;
        Blocks++;
        DenialsInRow = 0;
        if (++_blocksSinceFault >= BlocksToForgive && BrokenPromises > 0)
        {
            BrokenPromises--;
            _blocksSinceFault = 0;
        }
    }

    public void OnDenial() => DenialsInRow++;

    public void OnBrokenPromise()
    {
        BrokenPromises++;
        _blocksSinceFault = 0;
    }

    /// <summary>Forgets what belongs to a connection that is gone.</summary>
    public void OnReconnected()
    {
        IsConnected = true;
        IsGone = false;
        LacksRoot = false;
        DenialsInRow = 0;
        IsFilling = true;
    }

    /// <summary>Measures its speed, now and then.</summary>
    public void Measure(TimeSpan now, int maxWindowBytes, int maxWants)
    {
        if (Assignments.Count > 0)
            Sample(now, Rate == 0 && _sampleBytes > 0 ? FirstSampleInterval : SampleInterval);
        if (Rate == 0)
            return;
        double wanted = Rate * ((2 * Latency) + Slack).TotalSeconds;
        // a first impression may be far too low: it does not make the window smaller
        int floor = _busyTime < TrustedAfter ? Math.Min(_initialWindowBytes, maxWindowBytes) : Math.Min(MinWindowBytes, maxWindowBytes);
        WindowBytes = (int)Math.Clamp(wanted, floor, maxWindowBytes);
        FillIfQuarterFree(maxWants);
    }

    /// <summary>How long until this many bytes are here, if it goes on as it did.</summary>
    public TimeSpan TimeFor(long bytes, double assumedRate) => Latency + TimeSpan.FromSeconds(Math.Min(bytes / Math.Max(Rate > 0 ? Rate : assumedRate, 1), 1e7));

    /// <summary>
    /// The same for a choice among several: a provider that was not busy for long yet counts as fast as the fastest. Its first samples hold the
    /// start of the connection and would give the greater part of a short transfer to whoever was asked first.
    /// </summary>
    public TimeSpan PromisingTimeFor(long bytes, double fastestRate) => _busyTime < TrustedAfter
        ? Latency + TimeSpan.FromSeconds(Math.Min(bytes / Math.Max(Math.Max(Rate, fastestRate), 1), 1e7))
        : TimeFor(bytes, fastestRate);

    private void FillIfQuarterFree(int maxWants)
    {
        if (OutstandingBytes <= WindowBytes - (WindowBytes / 4) && Assignments.Count <= maxWants - (maxWants / 4))
            IsFilling = true;
    }

    private void Sample(TimeSpan now, TimeSpan interval)
    {
        TimeSpan elapsed = now - _sampleStart;
        if (elapsed < interval)
            return;
        double sample = _sampleBytes / elapsed.TotalSeconds;
        Rate = Rate == 0 ? sample : (0.7 * Rate) + (0.3 * sample);
        _busyTime += elapsed;
        _sampleStart = now;
        _sampleBytes = 0;
    }
}
