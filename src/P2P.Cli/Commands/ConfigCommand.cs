using System.CommandLine;
using P2P.Cli.Configuration;

namespace P2P.Cli.Commands;

/// <summary><c>p2p config</c>: what is set, and where. Takes no lock and makes nothing.</summary>
internal sealed class ConfigCommand : ToolCommand
{
    public ConfigCommand()
        : base("config", "Lists every setting with its value and where that comes from.")
    {
        SetAction(static _ => { }); // also without one of the commands below it
        Add(new ConfigGetCommand());
        Add(new ConfigSetCommand());
        Add(new ConfigUnsetCommand());
    }

    public override string Synopsis => "[OPTION]...";

    public override string Notes => """
        The command line wins over the environment, the environment over the file, the file over the default. The file is config.json in the data folder, or that of --config.
        """;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override Task<int> RunAsync(CommandContext context)
    {
        foreach (SettingKey key in SettingKey.All)
            ConfigView.ShowRow(context, EffectiveSetting.Of(key, context.Settings, context.Host));
        return Task.FromResult(ExitCodes.Done);
    }
}
