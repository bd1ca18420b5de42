namespace P2P.Core.Store;

/// <summary>The rows of what is announced in the DHT. The store keeps them in order; what belongs there is decided above it.</summary>
internal static class ProvideTable
{
    /// <summary>Blocks that are looked at, and rows that are written, in one go (count).</summary>
    public const int SliceRows = 4_096;

    private const long Flip = long.MinValue;

    /// <summary>Whether a block is announced for the sake of any of these pins.</summary>
    public delegate bool IsAnnounced(ReadOnlySpan<byte> key, IReadOnlyList<Pin> pins);

    /// <summary>Rows in the order of the keyspace.</summary>
    /// <param name="store">The store.</param>
    /// <param name="from">The first place.</param>
    /// <param name="to">The last place.</param>
    /// <param name="newFor">Only those of which this network was never told; 0: all.</param>
    /// <param name="max">How many at most.</param>
    public static IReadOnlyList<ProvideRow> GetProvides(this BlockStore store, ulong from, ulong to, int newFor, int max) => store.Query(
        "SELECT p.place, p.key, p.new_for, coalesce(b.pin_set, 0) FROM provides p " +
        (newFor == 0 ? "LEFT JOIN blocks b ON b.key=p.key WHERE " : "INDEXED BY provides_new LEFT JOIN blocks b ON b.key=p.key WHERE p.new_for<>0 AND p.new_for & ?4 AND ") +
        "p.place BETWEEN ?1 AND ?2 ORDER BY p.place LIMIT ?3",
        static row => new ProvideRow(Unsigned(row.GetInt64(0)), row.GetBlob(1).ToArray(), row.GetInt32(2), row.GetInt64(3)),
        statement =>
        {
            statement.Bind(1, Signed(from)).Bind(2, Signed(to)).Bind(3, max);
            if (newFor != 0)
                statement.Bind(4, newFor);
        });

    /// <summary>How many rows there are, and of how many any network was never told.</summary>
    public static (long All, long New) CountProvides(this BlockStore store) => (
        store.Query("SELECT count(*) FROM provides", static row => row.GetInt64(0))[0],
        store.Query("SELECT count(*) FROM provides INDEXED BY provides_new WHERE new_for<>0", static row => row.GetInt64(0))[0]);

    /// <summary>The pins whose blocks are among the rows.</summary>
    public static HashSet<PinId> GetProvidedPins(this BlockStore store) => [.. store.Query("SELECT pin FROM provided_pins", static row => new PinId(row.GetInt64(0)))];

    /// <summary>The next blocks behind a key, with the number of their pins; empty at the end.</summary>
    public static IReadOnlyList<(byte[] Key, long PinSet)> GetBlocksBehind(this BlockStore store, byte[] key) => store.Query(
        "SELECT key, pin_set FROM blocks WHERE key>?1 ORDER BY key LIMIT ?2",
        static row => (row.GetBlob(0).ToArray(), row.GetInt64(1)),
        statement => statement.Bind(1, key.AsSpan()).Bind(2, SliceRows));

    /// <summary>Makes changes that nobody was promised.</summary>
    public static Task ChangeProvidesAsync(this BlockStore store, Action<IndexEditor> change, int rows, CancellationToken cancellationToken) =>
        store.Writer.ApplyAsync(change, rows, Durability.Visible, cancellationToken);

    /// <summary>A place as the index holds it.</summary>
    internal static long Signed(ulong place) => unchecked((long)place) ^ Flip;

    private static ulong Unsigned(long place) => unchecked((ulong)(place ^ Flip));
}
