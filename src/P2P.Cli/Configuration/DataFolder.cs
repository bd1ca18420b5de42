namespace P2P.Cli.Configuration;

/// <summary>Where a node keeps its identity, index and blocks when the command line does not say.</summary>
internal static class DataFolder
{
    private const string Name = "p2p";

    /// <summary>The default: <c>p2p</c> below the system's local application data.</summary>
    /// <param name="environment">Looks up an environment variable.</param>
    /// <param name="system">Whose rules hold.</param>
    /// <exception cref="UsageException">The variables give no absolute folder; the current folder is never used instead.</exception>
    public static string Default(Func<string, string?> environment, HostSystem system) => system switch
    {
        HostSystem.Windows => Below(environment, "LOCALAPPDATA", system),
        HostSystem.MacOS => Below(environment, "HOME", system, "Library", "Application Support"),
        _ => string.IsNullOrEmpty(environment("XDG_DATA_HOME"))
            ? Below(environment, "HOME", system, ".local", "share")
            : Below(environment, "XDG_DATA_HOME", system),
    };

    private static string Below(Func<string, string?> environment, string variable, HostSystem system, params string[] inside)
    {
        string? folder = environment(variable);
        if (string.IsNullOrEmpty(folder))
            throw new UsageException($"There is no default data folder, because {variable} is not set. Name one with --data DIR.");
        if (!IsAbsolute(folder, system))
            throw new UsageException($"There is no default data folder, because {variable} is \"{folder}\", which is not an absolute path. Name one with --data DIR.");
        char separator = system == HostSystem.Windows ? '\\' : '/';
        return string.Join(separator, [folder.TrimEnd('/', separator), .. inside, Name]);
    }

    private static bool IsAbsolute(string path, HostSystem system) => system == HostSystem.Windows
        ? (path.Length >= 3 && char.IsAsciiLetter(path[0]) && path[1] == ':' && path[2] is '\\' or '/') || path.StartsWith(@"\\", StringComparison.Ordinal)
        : path.StartsWith('/');
}
