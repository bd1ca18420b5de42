using System.Collections.Concurrent;
using System.Diagnostics;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: traces show what a node does. Method: a listener while one small file travels; other tests run beside, so activities are found by the test's own parent.</summary>
[TestClass]
public sealed class NodeActivityTests
{
    [TestMethod]
    public async Task A_dial_a_fetch_and_an_import_are_one_activity_each()
    {
        string folder = Directory.CreateTempSubdirectory("p2p-activity-").FullName;
        var seen = new ConcurrentBag<(string Name, ActivityTraceId Trace)>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is P2PDiagnostics.ActivitySourceName or nameof(NodeActivityTests),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => seen.Add((activity.OperationName, activity.TraceId)),
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(NodeActivityTests));
        ActivityTraceId trace;
        await File.WriteAllTextAsync(Path.Combine(folder, "film.bin"), "film");
        await using (P2PNode sharer = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Path.Combine(folder, "a"))))
        await using (P2PNode fetcher = await P2PNode.StartAsync(P2PNodeOptions.Loopback(Path.Combine(folder, "b"))))
        {
            using Activity own = source.StartActivity("test")!;
            trace = own.TraceId;
            bool hadEnded = false;
            var options = new ShareOptions { Ready = _ => hadEnded = seen.Any(activity => activity.Trace == own.TraceId && activity.Name == "p2p.import") };
            Share share = await sharer.ShareAsync(Path.Combine(folder, "film.bin"), options);
            Assert.IsTrue(hadEnded, "what comes after reading and hashing is not part of the import");
            await fetcher.FetchAsync(share.Link, Path.Combine(folder, "copy.bin"));
        }

        Directory.Delete(folder, recursive: true);
        string[] names = [.. seen.Where(activity => activity.Trace == trace && activity.Name != "test").Select(activity => activity.Name).Order()];
        CollectionAssert.AreEqual(new[] { "p2p.dial", "p2p.fetch", "p2p.import" }, names);
    }
}
