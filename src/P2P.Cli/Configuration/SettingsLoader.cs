namespace P2P.Cli.Configuration;

/// <summary>Lays command line over environment over file over defaults.</summary>
internal static class SettingsLoader
{
    private const string FileName = "config.json";
    private const string ConfigVariable = "P2P_CONFIG";

    /// <summary>Separates the values of a list in a variable.</summary>
    private static readonly char[] s_separators = [' ', ',', '\t', '\n'];

    /// <summary>Puts the settings together.</summary>
    /// <param name="given">What the command line says: key and values.</param>
    /// <param name="configOption">The file of <c>--config</c>; null: <c>P2P_CONFIG</c>, else the data folder's own.</param>
    /// <param name="host">Where the environment comes from.</param>
    /// <param name="withoutFaultyFile">Whether a file that is missing or at fault counts as none: for a command that writes it and says itself what is wrong with it.</param>
    /// <exception cref="UsageException">Something is wrong, with the option, variable or line that is.</exception>
    public static Settings Load(IReadOnlyDictionary<string, IReadOnlyList<string>> given, string? configOption, ToolHost host, bool withoutFaultyFile = false)
    {
        Dictionary<string, string> variables = ReadVariables(host);
        ConfigPlace? place = FindFile(given, variables, configOption, host);
        var settings = new Settings { Config = place };
        try
        {
            if (place is not null && (place.IsNamed || File.Exists(place.Path)))
                ApplyFile(settings, ConfigFile.Read(place.Path), place);
        }
        catch (UsageException) when (withoutFaultyFile)
        {
            settings = new Settings { Config = place };
        }

        foreach (SettingKey key in SettingKey.All)
        {
            if (variables.TryGetValue(key.Key, out string? text))
                Apply(settings, key, key.IsList ? SplitList(text) : [text], key.Variable, new SettingSource(SettingOrigin.Environment, key.Variable));
        }

        foreach (SettingKey key in SettingKey.All)
        {
            string option = "--" + key.Key.Replace('_', '-');
            if (given.TryGetValue(key.Key, out IReadOnlyList<string>? values))
                Apply(settings, key, values, option, new SettingSource(SettingOrigin.CommandLine, option));
        }

        return settings;
    }

    /// <summary>Lays what a file says over the settings.</summary>
    /// <exception cref="UsageException">A value is wrong, or has no place in this file; with its line.</exception>
    public static void ApplyFile(Settings settings, IEnumerable<ConfigFile.Entry> entries, ConfigPlace place)
    {
        foreach ((SettingKey key, IReadOnlyList<string> values, int line) in entries)
        {
            if (!place.IsNamed && key.Key == "data")
                throw new UsageException($"{place.Path}, line {line}: {ConfigPlace.NoDataInside}");
            Apply(settings, key, values, $"{place.Path}, line {line}: {key.Key}", new SettingSource(SettingOrigin.File, place.Path));
        }
    }

    /// <summary>The values of a list that was written as one text.</summary>
    public static string[] SplitList(string text) => text.Split(s_separators, StringSplitOptions.RemoveEmptyEntries);

    private static void Apply(Settings settings, SettingKey key, IReadOnlyList<string> values, string where, SettingSource source)
    {
        try
        {
            key.Apply(settings, values);
        }
        catch (FormatException fault)
        {
            throw new UsageException($"{where}: {fault.Message}");
        }

        settings.Sources[key.Key] = source;
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

    private static ConfigPlace? FindFile(
        IReadOnlyDictionary<string, IReadOnlyList<string>> given, Dictionary<string, string> variables, string? configOption, ToolHost host)
    {
        string? named = configOption ?? host.Environment(ConfigVariable), own = OwnFile(given, variables, host);
        if (string.IsNullOrEmpty(named))
            return own is null ? null : new ConfigPlace(own, IsNamed: false, IsOwn: true);
        string path = Path.GetFullPath(named, host.CurrentDirectory);
        return new ConfigPlace(path, IsNamed: true, IsOwn: path == own);
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
