using P2P.Core;

namespace P2P.Cli;

/// <summary>What the process returns, and the names of the errors that lead there. docs/cli.md lists the same table; a test compares them.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Integrity = 4;
    public const int Refused = 5;
    public const int Interrupted = 130;

    /// <summary>Wrong usage, as the name in an error event.</summary>
    public const string UsageCode = "usage";

    /// <summary>Asked-for work left unfinished by a signal.</summary>
    public const string InterruptedCode = "interrupted";

    /// <summary>A fault of this program.</summary>
    public const string InternalCode = "internal";

    /// <summary>Every error name and its exit code, in the order of the documentation.</summary>
    public static IReadOnlyList<(string Code, int Exit)> Table { get; } =
    [
        (UsageCode, Usage),
        (NameOf(P2PErrorCode.NotFound), NotFound),
        (NameOf(P2PErrorCode.Unreachable), NotFound),
        (NameOf(P2PErrorCode.Integrity), Integrity),
        (NameOf(P2PErrorCode.SourceChanged), Failed),
        (NameOf(P2PErrorCode.NoSpace), Refused),
        (NameOf(P2PErrorCode.Quota), Refused),
        (NameOf(P2PErrorCode.Permission), Refused),
        (NameOf(P2PErrorCode.Exists), Failed),
        (NameOf(P2PErrorCode.InUse), Failed),
        (NameOf(P2PErrorCode.Protocol), Failed),
        (NameOf(P2PErrorCode.Store), Failed),
        (InterruptedCode, Interrupted),
        (InternalCode, Failed),
    ];

    /// <summary>The library's code as scripts see it.</summary>
    public static string NameOf(P2PErrorCode code) => code switch
    {
        P2PErrorCode.NotFound => "not_found",
        P2PErrorCode.Unreachable => "unreachable",
        P2PErrorCode.Integrity => "integrity",
        P2PErrorCode.SourceChanged => "source_changed",
        P2PErrorCode.NoSpace => "no_space",
        P2PErrorCode.Quota => "quota",
        P2PErrorCode.Permission => "permission",
        P2PErrorCode.Exists => "exists",
        P2PErrorCode.InUse => "in_use",
        P2PErrorCode.Protocol => "protocol",
        P2PErrorCode.Store => "store",
        _ => InternalCode,
    };

    /// <summary>The exit code of an error name.</summary>
    public static int Of(string code)
    {
        foreach ((string name, int exit) in Table)
        {
            if (name == code)
                return exit;
        }

        return Failed;
    }
}
