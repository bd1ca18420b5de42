using System.CommandLine;

namespace P2P.Cli.Commands;

/// <summary><c>p2p completion</c>: a script that lets a shell complete our command lines.</summary>
internal sealed class CompletionCommand : ToolCommand
{
    private readonly Argument<string> _shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or pwsh" }.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");

    public CompletionCommand()
        : base("completion", "Prints a script that lets a shell complete commands and options of p2p.")
    {
        Add(_shell);
    }

    public override string Synopsis => "bash|zsh|fish|pwsh";

    public override string Notes => """
        bash: add  source <(p2p completion bash)  to ~/.bashrc.

        zsh: add  source <(p2p completion zsh)  to ~/.zshrc, after compinit.

        fish: p2p completion fish > ~/.config/fish/completions/p2p.fish

        PowerShell: add  p2p completion pwsh | Out-String | Invoke-Expression  to $PROFILE.
        """;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override Task<int> RunAsync(CommandContext context)
    {
        context.RefuseJson("completion");
        context.Data(ScriptOf(context.Parse.GetRequiredValue(_shell)));
        return Task.FromResult(ExitCodes.Done);
    }

    // Each asks the program for the words, and falls back to files when there are none.
    private static string ScriptOf(string shell) => shell switch
    {
        "bash" => """
            _p2p() {
              local IFS=$'\n'
              COMPREPLY=($(p2p "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null))
            }
            complete -o default -F _p2p p2p
            """,
        "zsh" => """
            #compdef p2p
            _p2p() {
              local -a found
              found=(${(f)"$(p2p "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)"})
              if (( $#found )); then compadd -a found; else _files; fi
            }
            compdef _p2p p2p
            """,
        "fish" => """
            complete -c p2p -a '(p2p "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
            """,
        _ => """
            Register-ArgumentCompleter -Native -CommandName p2p -ScriptBlock {
              param($word, $line, $cursor)
              p2p "[suggest:$cursor]" "$line".PadRight($cursor) 2>$null | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
              }
            }
            """,
    };
}
