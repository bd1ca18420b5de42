// Fetches what a link leads to:  dotnet run fetch.cs LINK film.mkv
#:package P2P.Core@0.1.0-preview.1
#:property PublishAot=false
using P2P.Core;

await using P2PNode node = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = "fetch-data", Listen = false });
var progress = new Progress<TransferProgress>(now => Console.Error.WriteLine($"{now.VerifiedBytes} of {now.TotalBytes} bytes from {now.Peers} peers"));
FetchResult result = await node.FetchAsync(ShareLink.Parse(args[0]), args[1], progress: progress);
Console.WriteLine($"{result.Path}: {result.Bytes} bytes, verified");
