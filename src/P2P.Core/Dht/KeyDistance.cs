namespace P2P.Core.Dht;

/// <summary>Distances as parts of the keyspace, 0 to 1: what estimates reckon with. The first 64 bits suffice for any network that exists.</summary>
internal static class KeyDistance
{
    private const double Whole = 18_446_744_073_709_551_616d; // 2^64

    /// <summary>The distance of two points.</summary>
    public static double Of(in DhtKey left, in DhtKey right) => (left.High ^ right.High) / Whole;
}
