namespace P2P.Fuzz;

/// <summary>A decoder to be fed with anything.</summary>
/// <param name="Name">What the command line and the list of seeds call it.</param>
/// <param name="Samples">Valid inputs, from which the others are made.</param>
/// <param name="Check">Decodes and asserts what must hold; only <see cref="UnitTestAssertException"/> and unexpected exceptions are failures.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Samples, Action<byte[]> Check)
{
    public override string ToString() => Name;
}
