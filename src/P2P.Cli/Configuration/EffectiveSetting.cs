namespace P2P.Cli.Configuration;

/// <summary>What holds for a key, and where it comes from.</summary>
/// <param name="Key">The key.</param>
/// <param name="Values">Its values as they could be written into the file; none: nothing is set.</param>
/// <param name="Source">Where they come from.</param>
internal sealed record EffectiveSetting(SettingKey Key, IReadOnlyList<string> Values, SettingSource Source)
{
    /// <summary>What the settings say of a key.</summary>
    public static EffectiveSetting Of(SettingKey key, Settings settings, ToolHost host) =>
        new(key, key.Key == "data" ? DataFolderOf(settings, host) : key.Show(settings), settings.Sources.GetValueOrDefault(key.Key));

    // A system that gives no folder has no default to show; a command that needs one says so.
    private static string[] DataFolderOf(Settings settings, ToolHost host) => settings.FindDataFolder(host) is { } folder ? [folder] : [];
}
