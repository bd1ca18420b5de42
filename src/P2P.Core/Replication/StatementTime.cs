namespace P2P.Core.Replication;

/// <summary>Dates in signed statements: seconds since 1970, within what a date can hold.</summary>
internal static class StatementTime
{
    private static readonly long Last = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    /// <summary>A date without its fraction, as it is signed.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset date) => DateTimeOffset.FromUnixTimeSeconds(date.ToUnixTimeSeconds());

    /// <summary>Reads a date; false when there is none such.</summary>
    public static bool TryRead(long seconds, out DateTimeOffset date)
    {
        bool isDate = seconds >= 0 && seconds <= Last;
        date = isDate ? DateTimeOffset.FromUnixTimeSeconds(seconds) : default;
        return isDate;
    }
}
