namespace P2P.Cli.Configuration;

/// <summary>Lays command line over environment over file over defaults.</summary>
internal static class SettingsLoader
{
    private const string FileName = "config.json";
    private const string ConfigVariable = "P2P_CONFIG";

    /// <summary>Puts the settings together.</summary>
    /// <param name="given">What the command line says: key and values.</param>
    /// <param name="configOption">The file of <c>--config</c>; null: <c>P2P_CONFIG</c>, else the data folder's own.</param>
    /// <param name="host">Where the environment comes from.</param>
    /// <exception cref="UsageException">Something is wrong, with the option, variable or line that is.</exception>
    public static Settings Load(IReadOnlyDictionary<string, IReadOnlyList<string>> given, string? configOption, ToolHost host)
    {
        var settings = new Settings();
        Dictionary<string, string> variables = ReadVariables(host);
        foreach ((SettingKey key, IReadOnlyList<string> values, int line, string file) in ReadFile(given, variables, configOption, host))
            Apply(settings, key, values, $"{file}, line {line}: {key.Key}");
        foreach (SettingKey key in SettingKey.All)
        {
            if (variables.TryGetValue(key.Key, out string? text))
                Apply(settings, key, key.IsList ? text.Split((char[])[' ', ',', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries) : [text], key.Variable);
        }

        foreach (SettingKey key in SettingKey.All)
        {
            if (given.TryGetValue(key.Key, out IReadOnlyList<string>? values))
                Apply(settings, key, values, "--" + key.Key.Replace('_', '-'));
        }

        return settings;
    }

    private static void Apply(Settings settings, SettingKey key, IReadOnlyList<string> values, string origin)
    {
        try
        {
            key.Apply(settings, values);
        }
        catch (FormatException fault)
        {
            throw new UsageException($"{origin}: {fault.Message}");
        }
    }

    // A variable that is set to nothing counts as not set.
    private static Dictionary<string, string> ReadVariables(ToolHost host)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SettingKey key in SettingKey.All)
        {
            if (host.Environment(key.Variable) is { Length: > 0 } value)
                variables[key.Key] = value;
        }

        return variables;
    }

    private static IEnumerable<(SettingKey Key, IReadOnlyList<string> Values, int Line, string File)> ReadFile(
        IReadOnlyDictionary<string, IReadOnlyList<string>> given, Dictionary<string, string> variables, string? configOption, ToolHost host)
    {
        string? named = configOption ?? host.Environment(ConfigVariable);
        bool isNamed = !string.IsNullOrEmpty(named);
        string? path = isNamed ? Path.GetFullPath(named!, host.CurrentDirectory) : OwnFile(given, variables, host);
        if (path is null || (!isNamed && !File.Exists(path)))
            yield break;
        foreach (ConfigFile.Entry entry in ConfigFile.Read(path))
        {
            if (!isNamed && entry.Key.Key == "data")
                throw new UsageException($"{path}, line {entry.Line}: the data folder cannot be set inside the data folder. Use --data, P2P_DATA or --config FILE.");
            yield return (entry.Key, entry.Values, entry.Line, path);
        }
    }

    private static string? OwnFile(IReadOnlyDictionary<string, IReadOnlyList<string>> given, Dictionary<string, string> variables, ToolHost host)
    {
        try
        {
            string folder = given.TryGetValue("data", out IReadOnlyList<string>? values) ? values[0]
                : variables.TryGetValue("data", out string? variable) ? variable
                : DataFolder.Default(host.Environment, host.System);
            return Path.Combine(Path.GetFullPath(folder, host.CurrentDirectory), FileName);
        }
        catch (UsageException)
        {
            return null; // no data folder, so no file in it; a command that needs the folder says so itself
        }
    }
}
