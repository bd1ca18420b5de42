namespace P2P.Core.Store;

/// <summary>Names a pin. Assigned when the pin is added, never used again after it is removed.</summary>
internal readonly record struct PinId(long Value)
{
    /// <summary>Whether this is <c>default</c>, which names no pin.</summary>
    public bool IsNone => Value == 0;

    public override string ToString() => $"pin {Value}";
}
