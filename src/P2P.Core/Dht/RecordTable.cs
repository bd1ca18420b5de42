using System.Globalization;

namespace P2P.Core.Dht;

/// <summary>What became of a record that was put.</summary>
internal enum RecordOutcome
{
    /// <summary>It is stored, or was stored already.</summary>
    Stored,

    /// <summary>A better one is stored.</summary>
    Worse,

    /// <summary>Its namespace is unknown or its value is not valid there.</summary>
    Invalid,
}

/// <summary>Records by their keys: only valid ones, of each key the best, for 48 hours. Bounded; when it is full what is nearest to its end goes.</summary>
internal sealed class RecordTable
{
    /// <summary>The longest value (bytes).</summary>
    public const int MaxValueBytes = 16 << 10;

    /// <summary>Records kept (count): 16 MiB at the most.</summary>
    private const int MaxRecords = 1024;

    /// <summary>How long a record is kept after it was received.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(48);

    private readonly Dictionary<DhtKey, Stored> _records = [];

    private static readonly PublicKeyValidator PublicKeys = new();
    private static readonly IpnsValidator Names = new();

    /// <summary>Records kept.</summary>
    public int Count => _records.Count;

    /// <summary>The rules of a key's namespace, and its name there; null when nobody here knows it.</summary>
    public static IRecordValidator? FindValidator(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> pk = "/pk/"u8, ipns = "/ipns/"u8; // the name behind the second slash is binary
        name = key.StartsWith(pk) ? key[pk.Length..] : key.StartsWith(ipns) ? key[ipns.Length..] : default;
        return key.StartsWith(pk) ? PublicKeys : key.StartsWith(ipns) ? Names : null;
    }

    /// <summary>Whether a value may stand under a key.</summary>
    public static bool IsValid(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset utcNow) =>
        value.Length <= MaxValueBytes && FindValidator(key, out ReadOnlySpan<byte> name) is { } validator && validator.IsValid(name, value, utcNow);

    /// <summary>Stores a record if it is valid and no worse than the one that is there.</summary>
    public RecordOutcome TryPut(DhtRecord record, DateTimeOffset utcNow)
    {
        if (!IsValid(record.Key.Span, record.Value.Span, utcNow))
            return RecordOutcome.Invalid;
        DhtKey key = DhtKey.Of(record.Key.Span);
        if (Find(key, record.Key.Span, utcNow) is { } known
            && FindValidator(record.Key.Span, out _)!.Compare(record.Value.Span, known.Record.Value.Span) < 0)
            return RecordOutcome.Worse;
        if (_records.Count >= MaxRecords && !_records.ContainsKey(key))
            _records.Remove(_records.MinBy(static pair => pair.Value.ReceivedAt).Key);
        _records[key] = new Stored(record with { TimeReceived = utcNow.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture) }, utcNow);
        return RecordOutcome.Stored;
    }

    /// <summary>The record under a key; null when there is none that still counts.</summary>
    public DhtRecord? Get(ReadOnlySpan<byte> key, DateTimeOffset utcNow) => Find(DhtKey.Of(key), key, utcNow)?.Record;

    private Stored? Find(DhtKey key, ReadOnlySpan<byte> preimage, DateTimeOffset utcNow)
    {
        if (!_records.TryGetValue(key, out Stored? stored))
            return null;
        if (utcNow - stored.ReceivedAt < MaxAge && IsValid(preimage, stored.Record.Value.Span, utcNow))
            return stored;
        _records.Remove(key); // too old here, or past the end that it names itself
        return null;
    }

    private sealed record Stored(DhtRecord Record, DateTimeOffset ReceivedAt);
}
