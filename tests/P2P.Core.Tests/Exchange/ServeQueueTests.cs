using P2P.Core.Exchange;
using P2P.Testing;

namespace P2P.Core.Tests.Exchange;

[TestClass]
public sealed class ServeQueueTests
{
    private const int MiB = 1 << 20;

    [TestMethod]
    public void Peers_get_equal_bytes_whatever_the_size_of_their_blocks()
    {
        // one wants blocks of 2 MiB, one of 1 MiB, one of 10 KiB; all want without end, one turn at a time
        var queue = new ServeQueue(2 * MiB);
        int[] blockBytes = [2 * MiB, MiB, 10 << 10];
        long[] sent = new long[3];
        ServeTurn[] peers = [new(), new(), new()];
        foreach (ServeTurn peer in peers)
            queue.OnWork(peer);
        for (int turn = 0; turn < 3_000; turn++)
        {
            Assert.IsTrue(queue.TryBegin(out ServeTurn? peer));
            int which = Array.IndexOf(peers, peer);
            int bytes = 0;
            while (bytes + blockBytes[which] <= peer.CreditBytes && bytes < ServeQueue.TurnBytes)
                bytes += blockBytes[which];
            sent[which] += bytes;
            queue.End(peer, bytes, hasMore: true);
        }

        Assert.IsLessThan(1.02, (double)sent.Max() / sent.Min());
    }

    [TestMethod]
    public void A_peer_has_one_turn_at_a_time_and_all_together_stay_within_the_bound()
    {
        var queue = new ServeQueue(64 * MiB);
        ServeTurn[] peers = [.. Enumerable.Range(0, 200).Select(static _ => new ServeTurn())];
        foreach (ServeTurn peer in peers)
        {
            queue.OnWork(peer);
            queue.OnWork(peer);
        }

        List<ServeTurn> begun = [];
        while (queue.TryBegin(out ServeTurn? peer))
            begun.Add(peer);
        Assert.HasCount(begun.Count, begun.Distinct().ToList());
        Assert.IsLessThanOrEqualTo(64L * MiB, begun.Sum(static peer => (long)peer.ReservedBytes));
        Assert.IsGreaterThan(30, begun.Count);

        // work that comes during a turn is not forgotten
        queue.OnWork(begun[0]);
        queue.End(begun[0], MiB, hasMore: false);
        Assert.IsTrue(begun[0].IsWaiting);
        queue.End(begun[1], MiB, hasMore: false);
        Assert.IsFalse(begun[1].IsWaiting);
    }

    [TestMethod]
    public void Random_turns_never_lose_a_peer_that_has_work()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var queue = new ServeQueue(8 * MiB);
            var work = new Dictionary<ServeTurn, int>();
            List<ServeTurn> running = [];
            for (int i = 0; i < 20; i++)
                work.Add(new ServeTurn(), 0);
            ServeTurn[] peers = [.. work.Keys];
            for (int step = 0; step < 500; step++)
            {
                ServeTurn peer = peers[random.Next(peers.Length)];
                switch (random.Next(3))
                {
                    case 0:
                        work[peer]++;
                        queue.OnWork(peer);
                        break;
                    case 1 when queue.TryBegin(out ServeTurn? begun):
                        running.Add(begun);
                        break;
                    case 2 when running.Count > 0:
                        ServeTurn ended = running[random.Next(running.Count)];
                        running.Remove(ended);
                        work[ended] = Math.Max(0, work[ended] - 1);
                        queue.End(ended, random.Next(2 * MiB), work[ended] > 0);
                        break;
                }
            }

            do
            {
                foreach (ServeTurn ended in running)
                {
                    work[ended] = 0;
                    queue.End(ended, 0, hasMore: false);
                }

                running.Clear();
                while (queue.TryBegin(out ServeTurn? begun))
                    running.Add(begun);
            }
            while (running.Count > 0);

            Assert.AreEqual(0, work.Values.Sum(), $"seed {seed}");
        }
    }
}
