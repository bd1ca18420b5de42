// Keeps a folder shared: prints its link, and a new one whenever something in it has changed:  dotnet run worker.cs FOLDER
#:package P2P.Core@0.1.0-preview.1
#:package Microsoft.Extensions.Hosting@10.0.14
#:property PublishAot=false
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using P2P.Core;

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Services.AddP2P(options => options.DataDirectory = "worker-data");
builder.Services.AddSingleton(new SharedFolder(Path.GetFullPath(args[0])));
builder.Services.AddHostedService<FolderSharer>();
await builder.Build().RunAsync();

internal sealed record SharedFolder(string Path);

internal sealed class FolderSharer(P2PNode node, SharedFolder folder, ILogger<FolderSharer> logger) : BackgroundService
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1); // what is being written is not shared yet

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var changed = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(folder.Path) { IncludeSubdirectories = true, EnableRaisingEvents = true };
        watcher.Changed += (_, _) => changed.Release();
        watcher.Created += (_, _) => changed.Release();
        watcher.Deleted += (_, _) => changed.Release();
        watcher.Renamed += (_, _) => changed.Release();
        Cid? last = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var progress = new Progress<ImportProgress>(now => logger.LogInformation("Hashed {Bytes} of {Total} bytes", now.Bytes, now.TotalBytes));
            try
            {
                Share share = await node.ShareAsync(folder.Path, progress: progress, cancellationToken: stoppingToken);
                if (share.Root != last)
                {
                    Console.WriteLine(share.Link.ToUriString());
                    if (last is { } old)
                        await node.StopSharingAsync(old, stoppingToken);
                    last = share.Root;
                }
            }
            catch (P2PException error) when (error.Code == P2PErrorCode.SourceChanged)
            {
                changed.Release(); // something was written meanwhile: once more
            }

            await changed.WaitAsync(stoppingToken);
            while (await changed.WaitAsync(Quiet, stoppingToken))
            {
                // wait until nothing has changed for a while
            }
        }
    }
}
