namespace P2P.Core.Muxer;

/// <summary>What the peer lets us send on one stream.</summary>
internal struct SendWindow()
{
    /// <summary>More credit than this makes no sense for anyone: implementations stop at 16 MiB (bytes).</summary>
    private const long MaxCredit = int.MaxValue;

    /// <summary>Payload bytes we may still send.</summary>
    public long Credit { get; private set; } = YamuxOptions.InitialWindowBytes;

    /// <summary>Takes up credit from the peer; false when it grants beyond all reason.</summary>
    public bool TryGrow(uint delta)
    {
        if (Credit + delta > MaxCredit)
            return false;
        Credit += delta;
        return true;
    }

    public void Spend(int bytes) => Credit -= bytes;
}
