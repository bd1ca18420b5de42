namespace P2P.Core.Dht;

/// <summary>Decides which values one namespace of the DHT takes, and which of two is the better.</summary>
internal interface IRecordValidator
{
    /// <summary>Whether the value may stand under that name now.</summary>
    /// <param name="name">The key without its namespace.</param>
    /// <param name="value">The value.</param>
    /// <param name="utcNow">The date.</param>
    bool IsValid(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, DateTimeOffset utcNow);

    /// <summary>Compares two valid values: positive when <paramref name="left"/> is the better one, 0 when neither is.</summary>
    int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right);
}
