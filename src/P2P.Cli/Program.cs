using P2P.Cli;

using var signals = new ShutdownSignals();
return await Tool.RunAsync(args, ToolHost.OfProcess(signals.Token));
