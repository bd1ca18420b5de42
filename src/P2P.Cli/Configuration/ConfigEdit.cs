using System.Diagnostics;

namespace P2P.Cli.Configuration;

/// <summary>Changes a configuration file on the disk: whole or not at all, and never into one that does not load.</summary>
internal static class ConfigEdit
{
    /// <summary>Sets a key.</summary>
    /// <exception cref="UsageException">The value is wrong, has no place in this file, or the file is at fault elsewhere; nothing is changed.</exception>
    public static async Task SetAsync(ConfigPlace place, SettingKey key, IReadOnlyList<string> values, TimeProvider time, CancellationToken cancellationToken)
    {
        if (place.IsOwn && key.Key == "data")
            throw new UsageException($"data: {ConfigPlace.NoDataInside}");
        Settings alone = CheckValue(key, values);
        await ChangeAsync(place, key.Key, json => ConfigText.Set(json, key.Key, ConfigText.ToJson(key, values)), alone, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes a key.</summary>
    /// <param name="place">The file; it may be missing.</param>
    /// <param name="name">A key, or what stands in the file in the place of one.</param>
    /// <param name="time">Times the wait for others who change it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when it is not there.</returns>
    /// <exception cref="UsageException">The name is no key and not in the file, or the file is at fault elsewhere; nothing is changed.</exception>
    public static async Task<bool> UnsetAsync(ConfigPlace place, string name, TimeProvider time, CancellationToken cancellationToken)
    {
        if (SettingKey.IsRoom(name))
        {
            IEnumerable<string> below = SettingKey.All.Select(key => key.Key).Where(key => key.StartsWith(name + ".", StringComparison.Ordinal));
            throw new UsageException($"\"{name}\" is a group of settings. Name the one to unset: {string.Join(", ", below)}.");
        }

        bool isThere = await ChangeAsync(place, name, json => ConfigText.Unset(json, name), alone: null, time, cancellationToken).ConfigureAwait(false);
        if (!isThere && SettingKey.Find(name) is null)
            throw new UsageException(SettingKey.Unknown(name));
        return isThere;
    }

    /// <summary>Takes a value as loading does.</summary>
    /// <returns>Settings of nothing else.</returns>
    private static Settings CheckValue(SettingKey key, IReadOnlyList<string> values)
    {
        var alone = new Settings();
        try
        {
            key.Apply(alone, values);
        }
        catch (FormatException fault)
        {
            throw new UsageException($"{key.Key}: {fault.Message}");
        }

        return alone;
    }

    /// <returns>Whether there was something to change.</returns>
    private static async Task<bool> ChangeAsync(ConfigPlace place, string key, Func<byte[], byte[]> edit, Settings? alone, TimeProvider time, CancellationToken cancellationToken)
    {
        // A link stays one: what it leads to is replaced.
        string path = new FileInfo(place.Path).LinkTarget is null ? place.Path : File.ResolveLinkTarget(place.Path, returnFinalTarget: true)!.FullName;
        if (Edited(path, place, key, edit, alone) is null)
            return false; // so nothing has to be writable, or there
        PrepareFolder(path, place);
        using FileTurn turn = await FileTurn.TakeAsync(path, time, cancellationToken).ConfigureAwait(false);
        if (Edited(path, place, key, edit, alone) is not { } edited)
            return false; // another process has done the same
        FileReplacement.Write(path, edited);
        return true;
    }

    /// <summary>What the file would be; null: what it is.</summary>
    private static byte[]? Edited(string path, ConfigPlace place, string key, Func<byte[], byte[]> edit, Settings? alone)
    {
        byte[] before = File.Exists(path) ? ConfigFile.ReadBytes(path) : [];
        IReadOnlyList<ConfigFile.Entry> others = CheckOthers(before, place, key);
        byte[] after = edit(before);
        if (alone is not null)
            CheckForNode(after, place, key, alone);
        if (after.AsSpan().SequenceEqual(before))
            return null;
        CheckEdited(after, place, key, others);
        return after;
    }

    private static IReadOnlyList<ConfigFile.Entry> CheckOthers(byte[] json, ConfigPlace place, string key)
    {
        if (ConfigBlanks.IsBlank(json))
            return [];
        IReadOnlyList<ConfigFile.Entry> others = ConfigFile.Parse(json, place.Path, except: key);
        SettingsLoader.ApplyFile(new Settings(), others, place);
        return others;
    }

    // As the node does that is started with the file: what it refuses, by itself or because of what else stands there, is better refused here.
    private static void CheckForNode(byte[] json, ConfigPlace place, string key, Settings alone)
    {
        var together = new Settings();
        SettingsLoader.ApplyFile(together, ConfigFile.Parse(json, place.Path), place);
        if (FaultsOf(together) is not [{ } fault, ..] faults)
            return;
        throw new UsageException(faults.Intersect(FaultsOf(alone)).FirstOrDefault() is { } own
            ? $"{key}: {own[(own.IndexOf(": ", StringComparison.Ordinal) + 2)..]}"
            : $"{key} does not go with what stands in the file. {SettingKey.Translate(fault)}");

        static IReadOnlyList<string> FaultsOf(Settings settings) => settings.ForNode(Path.GetTempPath(), listen: false).FindFaults();
    }

    /// <summary>The other side of the edit: what it wrote loads, and says of all other keys what they said before.</summary>
    private static void CheckEdited(byte[] json, ConfigPlace place, string key, IReadOnlyList<ConfigFile.Entry> others)
    {
        IEnumerable<string> now = ConfigFile.Parse(json, place.Path).Where(entry => entry.Key.Key != key).Select(Describe);
        if (!now.SequenceEqual(others.Select(Describe)))
            throw new UnreachableException($"Changing {key} in {place.Path} would have changed other keys.");

        static string Describe(ConfigFile.Entry entry) => $"{entry.Key.Key}={string.Join('\n', entry.Values)}";
    }

    // The data folder is made as a node makes it; any other has to be there, or a mistyped path would make one.
    private static void PrepareFolder(string path, ConfigPlace place)
    {
        string folder = Path.GetDirectoryName(path)!;
        if (Directory.Exists(folder))
            return;
        if (!place.IsOwn)
            throw new UsageException($"The configuration file {place.Path} cannot be written: there is no folder {folder}.");
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
