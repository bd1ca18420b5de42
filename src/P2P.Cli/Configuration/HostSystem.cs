namespace P2P.Cli.Configuration;

/// <summary>The operating systems whose rules differ.</summary>
internal enum HostSystem
{
    Linux,
    MacOS,
    Windows,
}
