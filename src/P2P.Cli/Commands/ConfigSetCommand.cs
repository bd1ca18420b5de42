using System.CommandLine;
using P2P.Cli.Configuration;

namespace P2P.Cli.Commands;

/// <summary><c>p2p config set</c>: writes one value into the configuration file.</summary>
internal sealed class ConfigSetCommand : ToolCommand
{
    private readonly Argument<string> _key = ConfigView.KeyArgument();
    private readonly Argument<string[]> _values = new("VALUE") { Description = "what to set", Arity = ArgumentArity.OneOrMore };

    public ConfigSetCommand()
        : base("set", "Writes a setting into the configuration file, which keeps its comments and all else.")
    {
        Add(_key);
        Add(_values);
    }

    public override string Synopsis => "KEY VALUE...";

    public override string Notes => """
        The file is config.json in the data folder, or that of --config; it is made when it is missing. A list takes several values, or one with commas.

        A node that runs goes on with what it read at its start.
        """;

    public override bool WritesConfig => true;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override async Task<int> RunAsync(CommandContext context)
    {
        string name = context.Parse.GetRequiredValue(_key);
        SettingKey key = SettingKey.Find(name) ?? throw ConfigView.Unknown(name);
        ConfigPlace place = ConfigView.PlaceOf(context);
        string[] values = ReadValues(key, context.Parse.GetRequiredValue(_values));
        await ConfigEdit.SetAsync(place, key, values, context.Host.Time, context.Stopping);
        await ConfigView.ShowChangeAsync(context, place, key, _ => $"Set {key.Key} to {ConfigView.Text(values)} in {ConfigView.Display(context, place)}.");
        return ExitCodes.Done;
    }

    private static string[] ReadValues(SettingKey key, string[] typed) =>
        key.IsList ? [.. typed.SelectMany(SettingsLoader.SplitList)]
        : typed.Length == 1 ? typed
        : throw new UsageException($"{key.Key} takes one value, and {typed.Length} were given. Put a value with spaces into quotes.");
}
