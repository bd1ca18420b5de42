using System.CommandLine;

namespace P2P.Cli.Commands;

/// <summary>The tool's commands and the options that all of them take.</summary>
internal sealed class CommandTree : RootCommand
{
    public CommandTree()
        : base("Share a file or folder and fetch it by link, peer to peer: encrypted, verified, resumed.")
    {
        Options.Clear(); // the defaults take "/h" for help, which is a path
        Directives.Clear();
        SetAction(_ => { }); // "p2p" alone is no error
        foreach (Option option in Globals.All)
            Options.Add(option);
        Add(new ShareCommand());
        Add(new SharesCommand());
        Add(new UnshareCommand());
        Add(new FetchCommand());
        Add(new LsCommand());
        Add(new CatCommand());
        Add(new LinkCommand());
        Add(new LanCommand());
        Add(new NodeCommand());
        Add(new HealthCommand());
        Add(new RenewCommand());
        Add(new StatusCommand());
        Add(new PeersCommand());
        Add(new CidCommand());
        Add(new IdCommand());
        Add(new DoctorCommand());
        Add(new CommandGroup("pin", "What is kept in the store.", new PinAddCommand(), new PinRmCommand(), new PinLsCommand()));
        Add(new GcCommand());
        Add(new CommandGroup("car", "CAR archives, the container of IPFS.", new CarExportCommand(), new CarImportCommand()));
        Add(new CommandGroup("store", "What the data folder holds, and whether it is sound.", new StoreStatCommand(), new StoreVerifyCommand(), new StoreRepairCommand()));
        Add(new CommandGroup("replica", "What is kept for others.", new ReplicaRmCommand()));
        Add(new ConfigCommand());
        Add(new CommandGroup("service", "Running the node by itself.", new ServicePrintCommand()));
        Add(new CompletionCommand());
        Add(new DemoCommand());
    }

    public GlobalOptions Globals { get; } = new();
}
