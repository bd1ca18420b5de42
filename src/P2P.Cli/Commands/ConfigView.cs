using System.CommandLine;
using P2P.Cli.Configuration;
using P2P.Cli.Control;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary>What <c>p2p config</c> and the commands below it have in common: how settings are named, shown and told of.</summary>
internal static class ConfigView
{
    private const int KeyColumns = 37; // the longest key and a gap
    private const int ValueColumns = 12;

    /// <summary>The key on the command line; shells complete it.</summary>
    public static Argument<string> KeyArgument()
    {
        var key = new Argument<string>("KEY") { Description = "a setting, e.g. timeout or replication.grace" };
        key.CompletionSources.Add(SettingKey.All.Select(one => one.Key).ToArray());
        return key;
    }

    /// <summary>The fault of a name that is no key.</summary>
    public static UsageException Unknown(string name) => new($"{SettingKey.Unknown(name)} p2p config lists them all.");

    /// <summary>The file to write.</summary>
    /// <exception cref="UsageException">None is named and there is no data folder.</exception>
    public static ConfigPlace PlaceOf(CommandContext context)
    {
        if (context.Settings.Config is { } place)
            return place;
        string folder = context.Settings.DataFolderOf(context.Host); // says what to do when there is none
        throw new UsageException($"There is no configuration file for {folder}. Name one with --config FILE.");
    }

    public static string Display(CommandContext context, ConfigPlace place) => place.IsNamed ? context.Display(place.Path) : context.DisplayOwn(place.Path);

    public static ConfigEvent ToEvent(EffectiveSetting setting) => new(
        setting.Key.Key,
        setting.Key.IsList ? setting.Values.ToArray() : setting.Values.Count > 0 ? setting.Values[0] : null,
        setting.Source.Origin switch
        {
            SettingOrigin.CommandLine => "command_line",
            SettingOrigin.Environment => "environment",
            SettingOrigin.File => "file",
            _ => "default",
        },
        setting.Source.Name);

    /// <summary>Values as a person reads them.</summary>
    public static string Text(IReadOnlyList<string> values) => values.Count == 0 ? "nothing" : SafeText.Clean(string.Join(", ", values));

    /// <summary>What holds now, as a sentence to follow another.</summary>
    public static string Now(EffectiveSetting setting) =>
        $" It is {Text(setting.Values)} ({(setting.Source.Origin == SettingOrigin.Default ? "default" : SafeText.Clean(setting.Source.Name!))}).";

    /// <summary>A line of the list.</summary>
    public static void ShowRow(CommandContext context, EffectiveSetting setting)
    {
        string value = setting.Values.Count == 0 ? "-" : Text(setting.Values);
        string origin = setting.Source switch
        {
            (SettingOrigin.CommandLine, _) => "command line",
            (SettingOrigin.File, _) => Display(context, context.Settings.Config!),
            (SettingOrigin.Environment, { } variable) => variable,
            _ => "default",
        };
        if (context.Events is { } events)
            events.Write(ToEvent(setting));
        else
            context.Data($"{setting.Key.Key,-KeyColumns}{value,-ValueColumns}  {origin}");
    }

    /// <summary>What holds for a key, as an event or a sentence.</summary>
    public static void Show(CommandContext context, EffectiveSetting setting, Func<EffectiveSetting, string> sentence)
    {
        if (context.Events is { } events)
            events.Write(ToEvent(setting));
        else
            context.Screen.Line(sentence(setting));
    }

    /// <summary>The settings as the next command finds them.</summary>
    public static Settings Reload(CommandContext context)
    {
        GlobalOptions globals = ((CommandTree)context.Parse.RootCommandResult.Command).Globals;
        // A file that it may do without is missing here only where nothing was to be changed.
        return SettingsLoader.Load(globals.Given(context.Parse, context.Parse.CommandResult.Command), context.Parse.GetValue(globals.Config), context.Host, withoutFaultyFile: true);
    }

    /// <summary>Tells of a change in the file, and of what keeps it from being seen.</summary>
    public static async Task ShowChangeAsync(CommandContext context, ConfigPlace place, SettingKey key, Func<EffectiveSetting, string> sentence)
    {
        Settings settings = Reload(context);
        EffectiveSetting now = EffectiveSetting.Of(key, settings, context.Host);
        Show(context, now, sentence);
        if (now.Source.Origin == SettingOrigin.Environment)
            context.Warn("config_overridden", $"The variable {now.Source.Name} wins over {Display(context, place)}: {key.Key} is {Text(now.Values)} as long as it is set.");
        else if (now.Source.Origin == SettingOrigin.CommandLine)
            context.Warn("config_overridden", $"{now.Source.Name} on a command line wins over {Display(context, place)}: for this command {key.Key} is {Text(now.Values)}.");
        if (!key.IsOfCommand && settings.FindDataFolder(context.Host) is { } folder && await IsNodeRunningAsync(folder, context.Stopping))
            context.Warn("restart_needed", $"A node runs on {context.DisplayOwn(folder)} with what it read at its start. Restart it for the new {key.Key}.");
    }

    private static async Task<bool> IsNodeRunningAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            using System.Net.Sockets.Socket? owner = await ControlSocket.TryConnectAsync(folder, cancellationToken);
            return owner is not null;
        }
        catch (P2PException another) when (another.Code == P2PErrorCode.Permission)
        {
            return true; // of another user
        }
    }
}
