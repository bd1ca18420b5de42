using System.CommandLine;
using P2P.Cli.Configuration;
using P2P.Cli.Output;

namespace P2P.Cli.Commands;

/// <summary><c>p2p config unset</c>: removes one value from the configuration file.</summary>
internal sealed class ConfigUnsetCommand : ToolCommand
{
    private readonly Argument<string> _key = ConfigView.KeyArgument();

    public ConfigUnsetCommand()
        : base("unset", "Removes a setting from the configuration file, so that the default holds again.") => Add(_key);

    public override string Synopsis => "KEY";

    public override string Notes => "Comments stay. What stands in the file and is no setting can be removed too.";

    public override bool WritesConfig => true;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string name = context.Parse.GetRequiredValue(_key);
        ConfigPlace place = ConfigView.PlaceOf(context);
        bool wasThere = await ConfigEdit.UnsetAsync(place, name, context.Host.Time, context.Stopping);
        string file = ConfigView.Display(context, place);
        if (SettingKey.Find(name) is not { } key)
            ShowRemoved(context, name, file);
        else if (wasThere)
            await ConfigView.ShowChangeAsync(context, place, key, setting => $"Removed {key.Key} from {file}.{ConfigView.Now(setting)}");
        else
            ConfigView.Show(context, EffectiveSetting.Of(key, ConfigView.Reload(context), context.Host), setting => $"{key.Key} is not set in {file}.{ConfigView.Now(setting)}");
        return ExitCodes.Done;
    }

    // It was no setting, so there is nothing that holds for it now.
    private static void ShowRemoved(CommandContext context, string name, string file)
    {
        if (context.Events is { } events)
            events.Write(new ConfigEvent(name, null, "default", null));
        else
            context.Screen.Line($"Removed {SafeText.Clean(name)} from {file}.");
    }
}
