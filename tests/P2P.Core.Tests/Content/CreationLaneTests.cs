using System.Collections.Concurrent;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>Goal: small files are created one at a time, none is lost, nobody waits. Method: workers that add while one is held up in the middle of a file.</summary>
[TestClass]
public sealed class CreationLaneTests
{
    [TestMethod]
    public async Task What_comes_while_another_creates_is_left_to_it_and_every_file_is_made_once()
    {
        var made = new ConcurrentDictionary<int, byte>();
        int inside = 0, mostInside = 0;
        var lane = new CreationLane<int>(
            (item, data) =>
            {
                mostInside = Math.Max(mostInside, Interlocked.Increment(ref inside));
                Assert.AreEqual((byte)item, data[0], "the bytes belong to the file");
                Assert.IsTrue(made.TryAdd(item, data[0]));
                Interlocked.Decrement(ref inside);
            },
            error => Assert.Fail(error.Message));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            byte[] data = new byte[100];
            for (int i = worker; i < 8_000; i += 8)
            {
                data.AsSpan().Fill((byte)i); // the worker's buffer is used again at once: what is left behind must be a copy
                lane.Add(i, data);
            }
        })));

        Assert.HasCount(8_000, made);
        Assert.AreEqual(1, mostInside);
    }

    [TestMethod]
    public async Task Beyond_what_may_be_left_behind_a_file_is_created_beside_the_other()
    {
        using var hold = new ManualResetEventSlim();
        using var holding = new ManualResetEventSlim();
        int made = 0;
        var lane = new CreationLane<bool>(
            (isHeld, _) =>
            {
                if (isHeld)
                {
                    holding.Set();
                    hold.Wait(TimeSpan.FromSeconds(30));
                }

                Interlocked.Increment(ref made);
            },
            error => Assert.Fail(error.Message));
        Task creator = Task.Run(() => lane.Add(true, new byte[1]));
        Assert.IsTrue(holding.Wait(TimeSpan.FromSeconds(30)));

        byte[] data = new byte[CreationLane<bool>.MaxFileBytes];
        for (int i = 0; i < 64; i++)
            lane.Add(false, data); // 4 MiB are left behind
        Assert.AreEqual(0, made);
        lane.Add(false, data);
        Assert.AreEqual(1, made);

        hold.Set();
        await creator;
        Assert.AreEqual(66, made);
    }

    [TestMethod]
    public void A_failure_of_a_file_that_was_left_behind_is_told_and_the_others_are_made()
    {
        List<string> failures = [];
        int made = 0;
        CreationLane<int>? lane = null;
        lane = new CreationLane<int>(
            (item, data) =>
            {
                if (item == 0)
                {
                    lane!.Add(1, data);
                    lane.Add(2, data);
                }

                if (item == 1)
                    throw new IOException("disk full");
                made++;
            },
            error => failures.Add(error.Message));

        lane.Add(0, new byte[10]);

        CollectionAssert.AreEqual(new[] { "disk full" }, failures);
        Assert.AreEqual(2, made);
    }
}
