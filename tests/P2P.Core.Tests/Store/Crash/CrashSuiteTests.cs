using P2P.Core.Blocks;
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
}
