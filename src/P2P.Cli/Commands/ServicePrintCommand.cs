using System.CommandLine;
using System.Security;

namespace P2P.Cli.Commands;

/// <summary><c>p2p service print</c>: what a system needs to run the node by itself. Installs nothing.</summary>
internal sealed class ServicePrintCommand : ToolCommand
{
    private readonly Argument<string> _manager = new Argument<string>("SYSTEM") { Description = "systemd, launchd or windows" }.AcceptOnlyFromAmong("systemd", "launchd", "windows");

    public ServicePrintCommand()
        : base("print", "Prints a unit with which a system runs \"p2p node\" by itself, ready to install.")
    {
        Add(_manager);
    }

    public override string Synopsis => "systemd|launchd|windows";

    public override string Notes => """
        The unit runs this program on this data folder (--data), for this user. Everything else is set in config.json there, for example {"replication": {"offer_bytes": "50GB"}}. How to install it stands at its top.
        """;

    public override FolderUse UseOf(ParseResult parse) => FolderUse.None;

    public override Task<int> RunAsync(CommandContext context)
    {
        context.RefuseJson("service print");
        string program = Environment.ProcessPath ?? "p2p", folder = context.Settings.DataFolderOf(context.Host);
        foreach (string path in new[] { program, folder })
        {
            if (path.Any(char.IsControl))
                throw new UsageException("A path with control characters has no place in a unit. Move the program or the data folder.");
        }

        context.Data(context.Parse.GetRequiredValue(_manager) switch
        {
            "systemd" => ForSystemd(program, folder),
            "launchd" => ForLaunchd(program, folder),
            _ => ForWindows(program, folder),
        });
        return Task.FromResult(ExitCodes.Done);
    }

    /// <summary>A user unit. It ends by SIGTERM, which says good-bye to peers and leaves nothing half done.</summary>
    private static string ForSystemd(string program, string folder)
    {
        return $"""
            # p2p service print systemd > ~/.config/systemd/user/p2p.service
            # systemctl --user daemon-reload && systemctl --user enable --now p2p
            # loginctl enable-linger    (so that it runs also while you are not logged in)
            [Unit]
            Description=p2p: shares files and keeps copies
            After=network-online.target
            Wants=network-online.target

            [Service]
            Type=notify
            NotifyAccess=main
            TimeoutStartSec=5min
            ExecStart={Quoted(program)} node --data {Quoted(folder)}
            Restart=on-failure
            RestartPreventExitStatus=2
            RestartSec=5
            TimeoutStopSec=30
            NoNewPrivileges=true

            [Install]
            WantedBy=default.target
            """;

        // quotes, and what systemd replaces inside them
        static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal) + "\"";
    }

    private static string ForLaunchd(string program, string folder) => $"""
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <!-- p2p service print launchd > ~/Library/LaunchAgents/p2p.node.plist
             launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/p2p.node.plist -->
        <plist version="1.0">
        <dict>
          <key>Label</key><string>p2p.node</string>
          <key>ProgramArguments</key>
          <array>
            <string>{SecurityElement.Escape(program)}</string>
            <string>node</string>
            <string>--data</string>
            <string>{SecurityElement.Escape(folder)}</string>
          </array>
          <key>RunAtLoad</key><true/>
          <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
          <key>ExitTimeOut</key><integer>30</integer>
        </dict>
        </plist>
        """;

    /// <summary>A task at logon: it needs no administrator, and reads the user's files.</summary>
    private static string ForWindows(string program, string folder)
    {
        return $"""
            # p2p service print windows > p2p-task.ps1, then run it in PowerShell: powershell -File p2p-task.ps1
            $action = New-ScheduledTaskAction -Execute {Quoted(program)} -Argument {Quoted($"node --data \"{folder.TrimEnd('\\')}\"")}
            $trigger = New-ScheduledTaskTrigger -AtLogOn -User "$env:USERDOMAIN\$env:USERNAME"
            $settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -RestartCount 99 -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit ([TimeSpan]::Zero)
            Register-ScheduledTask -TaskName p2p -Action $action -Trigger $trigger -Settings $settings
            """;

        static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
    }
}
