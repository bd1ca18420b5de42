namespace P2P.Cli.Configuration;

/// <summary>What a value comes from; a later one wins over an earlier one.</summary>
internal enum SettingOrigin
{
    Default,
    File,
    Environment,
    CommandLine,
}

/// <summary>Where the value of a setting comes from.</summary>
/// <param name="Origin">Which of the four.</param>
/// <param name="Name">The file's path, the variable (<c>P2P_NETWORK</c>) or the option (<c>--network</c>); null for a default.</param>
internal readonly record struct SettingSource(SettingOrigin Origin, string? Name);
