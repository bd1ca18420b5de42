using P2P.Core.Blocks;
using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>Bits of the index flip at rest. SQLite has no checksums there, so what is lost may be lost; what is given out is right, and failures are failures of the store.</summary>
[TestClass]
public sealed class CrashIndexDamageTests
{
    private const int Seeds = 150;
    private const string IndexPath = $"{CrashWorld.DataPath}/index.db";

    [TestMethod]
    public async Task A_damaged_index_never_makes_wrong_bytes_right_and_fails_as_a_store_does()
    {
        BlockBufferPool buffers = new();
        int refused = 0, read = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            (bool isOpened, int blocks) = await RunAsync(seed, buffers);
            refused += isOpened ? 0 : 1;
            read += blocks;
        }
        Assert.IsTrue(refused is > 0 and < Seeds, $"{refused} of {Seeds} were refused");
        Assert.IsGreaterThan(0, read);
    }

    [TestMethod]
    [DataRow("UPDATE blocks SET size=random()")]
    [DataRow("UPDATE blocks SET size=2147483647")]
    [DataRow("UPDATE blocks SET size=size+1")]
    [DataRow("UPDATE blocks SET offset=random()")]
    [DataRow("UPDATE blocks SET places=random()")]
    [DataRow("UPDATE blocks SET file=random(), blob=random()")]
    [DataRow("UPDATE sources SET offset=random()")]
    [DataRow("UPDATE blobs SET data=zeroblob(3)")]
    [DataRow("UPDATE files SET size=random(), modified_ns=random(), state=random()")]
    public async Task Numbers_that_make_no_sense_bring_no_wrong_bytes_and_no_failure_but_the_stores(string damage)
    {
        BlockBufferPool buffers = new();
        for (ulong seed = 1; seed <= 5; seed++)
            await RunAsync(seed, buffers, damage);
    }

    private static async Task<(bool IsOpened, int Blocks)> RunAsync(ulong seed, BlockBufferPool buffers, string? damage = null)
    {
        SeededRandom random = new(seed);
        VirtualTime time = new();
        FaultyDisk disk = new(random.Fork(), time);
        disk.CreateFolder(CrashWorld.UserPath);
        await using CrashWorld world = new(random, buffers, disk, time);
        CrashInspector inspector = new(world);
        CrashWorkload workload = new(world, new CrashHistory(), inspector, random, []);
        await world.OpenAsync();
        for (int step = 0; step < 10; step++)
            await workload.StepAsync();
        await world.CloseAsync();
        if (damage is null)
        {
            int length = disk.FindFile(IndexPath)!.Length;
            for (int flips = random.Next(1, 20); flips > 0; flips--)
                disk.Flip(IndexPath, random.Next(length), (byte)(1 << random.Next(8)));
        }
        else
        {
            using SqliteVfs vfs = new(disk, random, time);
            using IndexConnection index = IndexConnection.Open(IndexPath, vfs.Name, 1 << 20);
            index.Run(damage);
        }
        try
        {
            await world.OpenAsync();
        }
        catch (P2PException)
        {
            return (false, 0);
        }
        int read = 0;
        for (int block = 0; block < CrashCorpus.Blocks; block++)
            read += IsRead(world, inspector, block, $"seed {seed}, block {block}") ? 1 : 0;
        return (true, read);
    }

    private static bool IsRead(CrashWorld world, CrashInspector inspector, int block, string what)
    {
        try
        {
            _ = world.Store.Has(CrashCorpus.CidOf(block));
            byte[]? data = inspector.ReadBlock(block, BlockReadPurpose.Verify);
            if (data is not null)
                CollectionAssert.AreEqual(CrashCorpus.DataOf(block), data, what);
            return data is not null;
        }
        catch (P2PException)
        {
            // Said.
            return false;
        }
        catch (Exception error) when (error is not AssertFailedException)
        {
            throw new CrashFailureException($"{what}: {error}", error);
        }
    }
}
