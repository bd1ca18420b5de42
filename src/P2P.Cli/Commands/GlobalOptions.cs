using System.CommandLine;
using P2P.Cli.Configuration;

namespace P2P.Cli.Commands;

/// <summary>The options that every command takes.</summary>
internal sealed class GlobalOptions
{
    public Option<string> Data { get; } = Value("--data", "DIR", "the data folder: identity, index and blocks without a file of their own");

    public Option<string[]> Listen { get; } = Values("--listen", "MULTIADDR", "an address to listen on, e.g. /ip4/0.0.0.0/tcp/4001; may be repeated");

    public Option<string[]> Peer { get; } = Values("--peer", "MULTIADDR", "a peer to connect to at start, ending in /p2p/ID; may be repeated");

    public Option<bool> NoLan { get; } = Flag("--no-lan", "do not look for peers on the local network");

    public Option<string> Up { get; } = Value("--up", "RATE", "the most that is sent to others a second, e.g. 2MB or 500KiB; local networks aside");

    public Option<string> Down { get; } = Value("--down", "RATE", "the most that is received from others a second; local networks aside");

    public Option<string> Network { get; } = Value("--network", "NAME", "the network to join: p2p (default), ipfs, or a name of your own");

    public Option<string> NodeName { get; } = Value("--node-name", "NAME", "the name that peers on the local network see (default: the host name)");

    public Option<bool> Json { get; } = Flag("--json", "one JSON object a line on standard output, for scripts");

    public Option<bool> Quiet { get; } = Flag("--quiet", "no progress and no messages but errors");

    public Option<bool> Verbose { get; } = Flag("--verbose", "the debug log on standard error");

    public Option<string> Log { get; } = Value("--log", "FILE", "the debug log into a file");

    public Option<string> Config { get; } = Value("--config", "FILE", "read settings from this file instead of the data folder's config.json");

    public Option<bool> Help { get; } = new("--help", "-h", "-?") { Description = "this help", Recursive = true, Arity = ArgumentArity.Zero };

    public Option<bool> Version { get; } = Flag("--version", "version and commit");

    /// <summary>All of them in the order of help.</summary>
    public IEnumerable<Option> All => [Data, Listen, Peer, NoLan, Up, Down, Network, NodeName, Json, Quiet, Verbose, Log, Config, Help, Version];

    /// <summary>What the command line sets, by the keys of <see cref="SettingKey"/>; the command's own options too, where there is such a key.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Given(ParseResult parse, Command command)
    {
        var given = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (Option option in All.Concat(command.Options))
        {
            string key = option.Name.TrimStart('-').Replace('-', '_');
            if (SettingKey.Find(key) is null || parse.GetResult(option) is not { Implicit: false } result)
                continue;
            given[key] = option.Arity.MaximumNumberOfValues == 0 ? ["true"] : [.. result.Tokens.Select(token => token.Value)];
        }

        return given;
    }

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description, Recursive = true, Arity = ArgumentArity.Zero };

    private static Option<string> Value(string name, string help, string description) => new(name) { HelpName = help, Description = description, Recursive = true };

    private static Option<string[]> Values(string name, string help, string description) =>
        new(name) { HelpName = help, Description = description, Recursive = true, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
}
