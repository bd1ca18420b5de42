using P2P.Core.Replication;

namespace P2P.Core.Tests.Replication;

/// <summary>Goal: whoever has a parent computes the same runs as the publisher.</summary>
[TestClass]
public sealed class RunCutterTests
{
    [TestMethod]
    public void A_small_share_is_one_run_under_its_root()
    {
        var cutter = new RunCutter();
        cutter.AddNode(Node(0));
        cutter.AddLeaves([Leaf(1), Leaf(2), Leaf(1)]);
        Run run = cutter.Cut(Node(0).Cid).Single();
        Assert.AreEqual((3, true, DhtKeyOf(Node(0))), (run.Entries.Count, run.IsInner, run.Key));
    }

    [TestMethod]
    public void A_large_one_is_cut_at_64_links_and_64_MiB_parent_by_parent()
    {
        var cutter = new RunCutter();
        cutter.AddNode(Node(0));
        ReplicaEntry[] first = [.. Enumerable.Range(1, 100).Select(i => Leaf(i))], second = [.. Enumerable.Range(50, 70).Select(i => Leaf(i))];
        cutter.AddNode(Node(1000));
        cutter.AddLeaves(first);
        cutter.AddNode(Node(1001));
        cutter.AddLeaves(second);
        IReadOnlyList<Run> runs = cutter.Cut(Node(0).Cid);
        CollectionAssert.AreEqual(new[] { 1, 1, 1, 64, 36, 64, 6 }, runs.Select(run => run.Entries.Count).ToArray());
        CollectionAssert.AreEqual(RunCutter.RunsOf(second).Select(run => run.Key).ToArray(), runs.Skip(5).Select(run => run.Key).ToArray(), "leaves that another parent has too move no boundary");
        CollectionAssert.AreEqual(new[] { 31, 31, 2 }, RunCutter.RunsOf(Enumerable.Range(0, 64).Select(i => Leaf(i, (2 << 20) + 1))).Select(run => run.Entries.Count).ToArray());
    }

    private static P2P.Core.Dht.DhtKey DhtKeyOf(ReplicaEntry entry) => P2P.Core.Dht.DhtKey.Of(entry.Cid.MultihashSpan);

    private static ReplicaEntry Node(int number) => new(CidOf(number, Cid.DagPbCodec), 1000);

    private static ReplicaEntry Leaf(int number, int size = 1 << 20) => new(CidOf(number, Cid.RawCodec), size);

    private static Cid CidOf(int number, ulong codec) =>
        Cid.TryFromBytes([1, (byte)codec, 0x12, 0x20, .. System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number))], out Cid cid, out _) ? cid : throw new InvalidOperationException("This is no content id.");
}
