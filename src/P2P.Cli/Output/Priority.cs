namespace P2P.Cli.Output;

/// <summary>How urgent a line is, by the numbers of syslog, which the journal of systemd reads in front of lines (sd-daemon(3)).</summary>
internal enum Priority
{
    Error = 3,
    Warning = 4,
    Information = 6,
    Debug = 7,
}
