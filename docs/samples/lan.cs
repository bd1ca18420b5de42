// Shows the peers of the local network and what they share there, as they come and go:  dotnet run lan.cs
#:package P2P.Core@0.1.0-preview.1
#:property PublishAot=false
using P2P.Core;

await using P2PNode node = await P2PNode.StartAsync(new P2PNodeOptions { DataDirectory = "lan-data", NodeName = "sample" });
await foreach (LanChange change in node.WatchLanAsync())
{
    Console.WriteLine(change.Kind switch
    {
        LanChangeKind.PeerFound => $"+ {change.NodeName ?? change.Peer.ToString()}",
        LanChangeKind.PeerGone => $"- {change.Peer}",
        LanChangeKind.ItemFound => $"    {change.Item!.Name}, {change.Item.Bytes} bytes: {change.Item.Link.ToUriString()}",
        _ => $"    {change.Item!.Name} is gone",
    });
}
