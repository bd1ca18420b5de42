// Shares a file or folder and serves it until Enter is pressed:  dotnet run share.cs film.mkv
#:package P2P.Core@0.1.0-preview.1
#:property PublishAot=false
using P2P.Core;

await using P2PNode node = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = "share-data" });
Share share = await node.ShareAsync(args[0]);
Console.WriteLine(share.Link.ToUriString());
Console.ReadLine();
