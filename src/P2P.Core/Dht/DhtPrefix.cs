namespace P2P.Core.Dht;

/// <summary>A part of the keyspace: all points with the same first bits.</summary>
internal readonly record struct DhtPrefix
{
    private static readonly DhtKey Ones = DhtKey.FromBytes([.. Enumerable.Repeat((byte)0xff, DhtKey.Bytes)]);

    private DhtPrefix(DhtKey first, int length) => (First, Length) = (first, length);

    /// <summary>The whole keyspace.</summary>
    public static DhtPrefix All => default;

    /// <summary>Its first point: the bits, then zeros.</summary>
    public DhtKey First { get; }

    /// <summary>How many bits are given.</summary>
    public int Length { get; }

    /// <summary>Its last point: the bits, then ones.</summary>
    public DhtKey Last => First.WithTail(Length, Ones);

    /// <summary>Which part of the keyspace it is, 0 to 1.</summary>
    public double Width => Math.ScaleB(1, -Length);

    /// <summary>The half next to it, with which it makes its parent.</summary>
    public DhtPrefix Sibling => new(First.Flip(Length - 1), Length);

    /// <summary>The part of twice the width.</summary>
    public DhtPrefix Parent => Of(First, Length - 1);

    /// <summary>The part of a point.</summary>
    public static DhtPrefix Of(DhtKey key, int length) => new(key.WithTail(length, default), length);

    /// <summary>Whether a point is in it.</summary>
    public bool Contains(in DhtKey key) => First.CommonPrefixLength(key) >= Length;

    /// <summary>Whether all of another is in it.</summary>
    public bool Contains(in DhtPrefix other) => other.Length >= Length && Contains(other.First);

    /// <summary>A point of it, the rest of the bits at random.</summary>
    public DhtKey PointIn(Random random) => First.WithTail(Length, DhtKey.Random(random));

    /// <inheritdoc/>
    public override string ToString() => $"{First}/{Length}";
}
