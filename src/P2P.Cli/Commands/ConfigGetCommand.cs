using System.CommandLine;
using P2P.Cli.Configuration;

namespace P2P.Cli.Commands;

/// <summary><c>p2p config get</c>: one value and nothing else, for scripts.</summary>
internal sealed class ConfigGetCommand : ToolCommand
{
    private readonly Argument<string> _key = ConfigView.KeyArgument();

    public ConfigGetCommand()
        : base("get", "Prints the value of one setting, whatever it comes from; a list one value a line, no value as nothing.") => Add(_key);

    public override string Synopsis => "KEY";

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override Task<int> RunAsync(CommandContext context)
    {
        string name = context.Parse.GetRequiredValue(_key);
        SettingKey key = SettingKey.Find(name) ?? throw ConfigView.Unknown(name);
        EffectiveSetting setting = EffectiveSetting.Of(key, context.Settings, context.Host);
        if (context.Events is { } events)
            events.Write(ConfigView.ToEvent(setting));
        else
            setting.Values.ToList().ForEach(context.Data);
        return Task.FromResult(ExitCodes.Done);
    }
}
