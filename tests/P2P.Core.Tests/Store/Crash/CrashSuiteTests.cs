using P2P.Core.Blocks;
using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>The crash suite can fail: on a disk that does not do what it says, it finds what is lost.</summary>
[TestClass]
public sealed class CrashSuiteTests
{
    private const int Seeds = 60;

    [TestMethod]
    [DataRow(nameof(DiskVices.IgnoresDatabaseFlush))]
    [DataRow(nameof(DiskVices.IgnoresFileFlush), DisplayName = "IgnoresFileFlush: as a store that commits a row before the block's bytes are flushed")]
    [DataRow(nameof(DiskVices.IgnoresFolderFlush), DisplayName = "IgnoresFolderFlush: as a store that commits a row before the block's name is flushed")]
    public async Task A_disk_that_ignores_flushes_is_found_out(string vice)
    {
        BlockBufferPool buffers = new();
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            try
            {
                await CrashScenario.RunAsync(seed, buffers, disk => disk.Vices = Enum.Parse<DiskVices>(vice));
            }
            catch (CrashFailureException error) when (error.InnerException is CrashFailureException)
            {
                return;
            }
            catch (CrashFailureException error) when (error.InnerException is P2PException { Code: P2PErrorCode.Store })
            {
                // The index is damaged so that it cannot be opened: said, and so not lost in silence; go on to a seed where it would be.
            }
        }
        Assert.Fail($"{Seeds} seeds found nothing to complain of a disk that {vice}");
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true, DisplayName = "What a failed flush dropped is not relied on by the next process either")]
    public async Task What_a_failed_flush_dropped_is_not_relied_on(bool isKilled)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            SeededRandom random = new(seed);
            VirtualTime time = new();
            FaultyDisk disk = new(random.Fork(), time) { Vices = DiskVices.ForgetsAfterFailedFlush };
            disk.CreateFolder(CrashWorld.UserPath);
            await using CrashWorld world = new(random, new BlockBufferPool(), disk, time);
            await world.OpenAsync();
            PinId pin = await world.Store.AddPinAsync(new Pin { Kind = PinKind.Kept, Name = "p" }, CancellationToken.None);
            await AddAsync(world, 2, pin, Durability.Visible);
            disk.FailFlushAfter(1);
            await Assert.ThrowsExactlyAsync<P2PException>(() => AddAsync(world, 3, pin, Durability.Flushed));
            if (isKilled)
            {
                await world.RestartAsync(isPowerCut: false);
                await world.OpenAsync();
            }
            await AddAsync(world, 4, pin, Durability.Flushed);
            await world.RestartAsync(isPowerCut: true);
            await world.OpenAsync();
            CrashInspector inspector = new(world);
            CollectionAssert.AreEqual(CrashCorpus.DataOf(2), inspector.ReadBlock(2, BlockReadPurpose.Verify), $"seed {seed}: what came before the flushed commit");
            CollectionAssert.AreEqual(CrashCorpus.DataOf(4), inspector.ReadBlock(4, BlockReadPurpose.Verify), $"seed {seed}: the flushed commit");
        }
    }

    private static async Task AddAsync(CrashWorld world, int block, PinId pin, Durability durability)
    {
        using StoreBatch batch = world.Store.BeginBatch(pin);
        batch.AddOwned(CrashCorpus.CidOf(block), CrashCorpus.DataOf(block));
        await batch.CommitAsync(durability, CancellationToken.None);
    }
}
