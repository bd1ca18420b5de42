using System.CommandLine;
using P2P.Cli.Commands;
using P2P.Cli.Configuration;
using P2P.Cli.Control;
using P2P.Cli.Output;
using P2P.Cli.Parsing;

namespace P2P.Cli;

/// <summary>The way of every command: parse, put the settings together, run, report, exit code.</summary>
internal static class Tool
{
    // "@film.mkv" is a file, "-abc" is one mistyped option.
    internal static readonly ParserConfiguration ParserConfiguration = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <summary>Runs one command line. Never throws.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, ToolHost host)
    {
        var root = new CommandTree();
        ParseResult parse = root.Parse(args, ParserConfiguration);
        CommandContext? context = null;
        DeliveredOutput? output = null;
        ReplayedInput? input = null;
        try
        {
            if (Suggestions.TryRead(args, out string text))
                return Print(host, string.Concat(Suggestions.Of(root, text).Select(static word => word + "\n")));
            if (parse.GetValue(root.Globals.Help))
                return Print(host, HelpText.Of(root, parse.CommandResult.Command));
            if (parse.GetValue(root.Globals.Version))
                return PrintVersion(host, parse.GetValue(root.Globals.Json));
            ArgumentRules.Check(root, parse, args);
            if (parse.CommandResult.Command is not ToolCommand command)
                return Print(host, HelpText.Overview(root));

            Settings settings = SettingsLoader.Load(root.Globals.Given(parse, command), parse.GetValue(root.Globals.Config), host, command.WritesConfig);
            FolderUse use = host.Attachment is null ? command.UseOf(parse) : FolderUse.None;
            if (use is FolderUse.None or FolderUse.Alone)
            {
                context = new CommandContext(host, settings, parse);
                return await command.RunAsync(context);
            }

            output = new DeliveredOutput(host.OpenOutput, settings.Json);
            input = new ReplayedInput(host.OpenInput);
            context = new CommandContext(host with { OpenOutput = output.Open, OpenInput = input.Open }, settings, parse);
            return await new FolderRun(command, use, context, args, output, input).RunAsync();
        }
        catch (Exception failure) when (host.Attachment is { IsAbandoned: true } && failure is OwnerEndedException or OperationCanceledException or InterruptedException)
        {
            return AttachedRun.Abandoned;
        }
        catch (Exception failure)
        {
            // Until the settings are read, only the command line itself can say how the user wants to hear of a failure.
            context ??= new CommandContext(host, new Settings { Json = WantsJson(args), Verbose = args.Contains("--verbose") }, parse);
            return FailureReport.Write(context, failure);
        }
        finally
        {
            context?.Dispose();
            output?.Dispose();
            input?.Dispose();
        }
    }

    private static bool WantsJson(IReadOnlyList<string> args) => args.TakeWhile(arg => arg != "--").Contains("--json");

    private static int Print(ToolHost host, string text)
    {
        using Stream output = host.OpenOutput();
        output.Write(System.Text.Encoding.UTF8.GetBytes(text));
        output.Flush();
        return ExitCodes.Done;
    }

    private static int PrintVersion(ToolHost host, bool json)
    {
        if (!json)
            return Print(host, ToolVersion.Text + "\n");
        using Stream output = host.OpenOutput();
        new EventWriter(output, host.Time).Write(new VersionEvent(ToolVersion.Number, ToolVersion.Commit));
        return ExitCodes.Done;
    }
}
