namespace P2P.Cli;

/// <summary>The command line, an environment variable or the configuration is wrong: exit code 2 and one sentence.</summary>
internal sealed class UsageException(string message) : Exception(message);
