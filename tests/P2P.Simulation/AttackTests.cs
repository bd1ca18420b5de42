using System.Globalization;
using System.Net;
using P2P.Core.Dht;
using P2P.Tests.Shared;

namespace P2P.Simulation;

/// <summary>Goal: who surrounds a key, or is everywhere, hides next to nothing. Each attack with and without its defence.</summary>
[TestClass]
public sealed class AttackTests
{
    private const ulong Seed = 20261126;

    [TestMethod]
    [DataRow(20, 0.99, false)]
    [DataRow(45, 0.99, false)]
    [DataRow(200, 0.95, false)]
    [DataRow(200, 0.95, true)]
    public void A_surrounded_key_is_found(int sybils, double least, bool isOneNetwork) => Surrounded(3_000, keys: 2, searches: sybils < 200 ? 50 : 15, sybils, least, isOneNetwork);

    [TestMethod]
    [SlowTest]
    [DataRow(20, 0.99, false)]
    [DataRow(45, 0.99, false)]
    [DataRow(100, 0.95, false)]
    [DataRow(200, 0.95, false)]
    [DataRow(20, 0.99, true)]
    [DataRow(200, 0.95, true)]
    public void A_surrounded_key_is_found_among_ten_thousand(int sybils, double least, bool isOneNetwork) => Surrounded(10_000, keys: 10, searches: 100, sybils, least, isOneNetwork);

    [TestMethod]
    public void Few_keys_are_held_for_surrounded_without_cause()
    {
        double alarms = new AttackScenario(3_000, 0, Seed).FalseAlarms(400);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"false alarms {alarms:P2}"));
        Assert.IsLessThan(0.01, alarms);
    }

    [TestMethod]
    public void One_in_five_hostile_hides_next_to_nothing() => Everywhere(2_000, keys: 5, searches: 10);

    [TestMethod]
    [SlowTest]
    public void One_in_five_hostile_hides_next_to_nothing_among_ten_thousand() => Everywhere(10_000, keys: 20, searches: 100);

    private static void Surrounded(int nodes, int keys, int searches, int sybils, double least, bool isOneNetwork)
    {
        NetworkGroup group = isOneNetwork ? NetworkGroup.Of(IPAddress.Parse("9.9.9.9"), isPublic: true) : NetworkGroup.None;
        (double without, double plainRequests) = Run(defends: false);
        (double with, double requests) = Run(defends: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{nodes} nodes, {sybils} identities around the key{(isOneNetwork ? " in one network" : "")}: found {without:P1} without, {with:P1} with the defence; {plainRequests:0.0} and {requests:0.0} requests"));
        Assert.IsGreaterThanOrEqualTo(least, with);

        (double Found, double Requests) Run(bool defends)
        {
            int found = 0;
            long asked = 0;
            for (int i = 0; i < keys; i++)
            {
                var scenario = new AttackScenario(nodes, 0, Seed + (ulong)i) { DefendsRegions = defends, HasDisjointPaths = false };
                DhtKey key = DhtKey.Of(BitConverter.GetBytes(i));
                scenario.Surround(key, sybils, group);
                scenario.Provide(key);
                for (int search = 0; search < searches; search++)
                {
                    found += scenario.Find(key) ? 1 : 0;
                    asked += scenario.Requests;
                }
            }

            return (found / (double)(keys * searches), asked / (double)(keys * searches));
        }
    }

    private static void Everywhere(int nodes, int keys, int searches)
    {
        (double plain, double plainRequests) = Run(defends: false, disjoint: false);
        (double disjoint, _) = Run(defends: false, disjoint: true);
        (double dense, _) = Run(defends: true, disjoint: false);
        (double with, double requests) = Run(defends: true, disjoint: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{nodes} nodes, one in five hostile: found {plain:P2} undefended, {disjoint:P2} with disjoint paths, {dense:P2} when sparse results are widened, {with:P2} with both; {plainRequests:0.0} and {requests:0.0} requests"));
        Assert.IsGreaterThanOrEqualTo(0.99, with);

        (double Found, double Requests) Run(bool defends, bool disjoint)
        {
            var scenario = new AttackScenario(nodes, 0.2, Seed) { DefendsRegions = defends, HasDisjointPaths = disjoint };
            long asked = 0;
            int found = 0;
            for (int i = 0; i < keys; i++)
            {
                DhtKey key = DhtKey.Of(BitConverter.GetBytes(i));
                scenario.Provide(key);
                for (int search = 0; search < searches; search++)
                {
                    found += scenario.Find(key) ? 1 : 0;
                    asked += scenario.Requests;
                }
            }

            return (found / (double)(keys * searches), asked / (double)(keys * searches));
        }
    }
}
