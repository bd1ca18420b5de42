namespace P2P.Core.Store;

/// <summary>How a pin stands in the index.</summary>
internal static class PinRow
{
    /// <summary>Stands between several paths: a full path never has two of them in a row.</summary>
    private const string BetweenPaths = "//";

    public const string SelectSql = "SELECT id, kind, root, name, path, allowed, bytes, blocks, wrapped_key, created_ms, hints FROM pins";

    public static Pin Read(IndexStatement row) => new()
    {
        Id = new PinId(row.GetInt64(0)),
        Kind = (PinKind)row.GetInt32(1),
        Root = ReadCid(row.GetBlob(2)),
        Name = row.GetText(3),
        Path = row.IsNull(4) || row.GetText(4).Contains(BetweenPaths, StringComparison.Ordinal) ? null : row.GetText(4),
        Paths = !row.IsNull(4) && row.GetText(4).Contains(BetweenPaths, StringComparison.Ordinal) ? row.GetText(4).Split(BetweenPaths) : [],
        AllowedPeers = ReadPeers(row.GetBlob(5)),
        Bytes = row.GetInt64(6),
        Blocks = row.GetInt64(7),
        WrappedKey = row.GetBlob(8).ToArray(),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(9)),
        Hints = row.GetBlob(10).ToArray(),
    };

    /// <summary>Binds everything but the id, from the second parameter on.</summary>
    public static IndexStatement Bind(IndexStatement statement, Pin pin) => statement
        .Bind(2, (long)pin.Kind)
        .Bind(3, pin.Root.IsEmpty ? [] : pin.Root.AsSpan())
        .Bind(4, pin.Name)
        .Bind(5, pin.Paths.Count > 1 ? string.Join(BetweenPaths, pin.Paths) : pin.Path)
        .Bind(6, WritePeers(pin.AllowedPeers))
        .Bind(7, pin.Bytes)
        .Bind(8, pin.Blocks)
        .Bind(9, pin.WrappedKey.Span)
        .Bind(10, pin.CreatedAt.ToUnixTimeMilliseconds())
        .Bind(11, pin.Hints.Span);

    public static Cid ReadCid(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && Cid.TryFromBytes(bytes, out Cid cid, out _) ? cid : default;

    private static byte[] WritePeers(IReadOnlyList<PeerId> peers)
    {
        using MemoryStream stream = new();
        foreach (PeerId peer in peers)
        {
            byte[] bytes = peer.ToArray();
            stream.WriteByte(checked((byte)bytes.Length));
            stream.Write(bytes);
        }
        return stream.ToArray();
    }

    /// <summary>Reads the allowed peers. A damaged list must not become an empty one, which allows everybody.</summary>
    private static List<PeerId> ReadPeers(ReadOnlySpan<byte> bytes)
    {
        List<PeerId> peers = [];
        while (!bytes.IsEmpty)
        {
            int length = bytes[0];
            if (bytes.Length <= length || !PeerId.TryFromBytes(bytes.Slice(1, length), out PeerId peer))
                throw new P2PException(P2PErrorCode.Store, "The index holds a share whose list of allowed peers cannot be read. Stop that share and share it again.");
            peers.Add(peer);
            bytes = bytes[(1 + length)..];
        }
        return peers;
    }
}
