namespace P2P.Core;

/// <summary>The names under which the library reports what it does.</summary>
public static class P2PDiagnostics
{
    /// <summary>The meter of all instruments.</summary>
    public const string MeterName = "P2P.Core";

    /// <summary>The source of all activities: one each for a dial, lookup, fetch and import, none for a block.</summary>
    public const string ActivitySourceName = "P2P.Core";
}
