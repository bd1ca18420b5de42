using P2P.Core.Store;
using P2P.Testing;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>The file layer of the crash suite is one that SQLite can rely on, and that loses what it may lose.</summary>
[TestClass]
public sealed class SqliteVfsTests
{
    private const string Path = "/a/test.db";

    [TestMethod]
    [DataRow("WAL", "FULL")]
    [DataRow("DELETE", "EXTRA", DisplayName = "DELETE: only EXTRA flushes that the journal is gone")]
    [DataRow("TRUNCATE", "FULL")]
    public void A_transaction_is_whole_and_lasts_whichever_operation_the_power_goes_at(string journal, string synchronous)
    {
        int transactions = 0;
        for (int cut = 1; ; cut++)
        {
            FaultyDisk disk = NewDisk((ulong)cut);
            int acknowledged = 0;
            using (SqliteVfs vfs = NewVfs(disk))
            {
                using (IndexConnection setup = Open(vfs))
                    setup.Run($"PRAGMA journal_mode={journal}; PRAGMA synchronous={synchronous}; CREATE TABLE t(n INTEGER, data BLOB)");
                disk.CutPowerAfter(cut);
                try
                {
                    using IndexConnection writer = Open(vfs);
                    writer.Run($"PRAGMA journal_mode={journal}; PRAGMA synchronous={synchronous}");
                    for (int n = 1; n <= 3; n++)
                    {
                        writer.Run($"BEGIN; INSERT INTO t VALUES({n}, randomblob(3000)); INSERT INTO t VALUES({n}, randomblob(9000)); COMMIT");
                        acknowledged = n;
                    }
                }
                catch (P2PException) when (disk.IsDead)
                {
                    // Wherever it was.
                }
            }
            transactions += acknowledged;
            bool wasCut = disk.IsDead;
            using (SqliteVfs vfs = NewVfs(disk.Restart()))
            using (IndexConnection reader = Open(vfs))
            {
                Assert.AreEqual(0, reader.Scalar("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check<>'ok'"), $"cut at {cut}");
                long rows = reader.Scalar("SELECT count(*) FROM t");
                Assert.IsTrue(rows == 2 * acknowledged || rows == 2 * (acknowledged + 1), $"cut at {cut}: {rows} rows, {acknowledged} transactions acknowledged");
            }
            if (!wasCut)
                break;
            Assert.IsLessThan(200, cut);
        }
        Assert.IsGreaterThan(0, transactions);
    }

    [TestMethod]
    public void Without_flushes_transactions_are_lost()
    {
        int lost = 0;
        for (ulong seed = 0; seed < 20; seed++)
        {
            FaultyDisk disk = NewDisk(seed);
            using (SqliteVfs vfs = NewVfs(disk))
            {
                using IndexConnection writer = Open(vfs);
                writer.Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(n INTEGER); PRAGMA synchronous=NORMAL; INSERT INTO t VALUES(1)");
                disk.CutPower();
            }
            using SqliteVfs next = NewVfs(disk.Restart());
            using IndexConnection reader = Open(next);
            lost += reader.Scalar("SELECT count(*) FROM t") == 0 ? 1 : 0;
        }
        Assert.IsTrue(lost is > 0 and < 20, $"{lost}");
    }

    [TestMethod]
    public void Connections_share_locks_and_the_log()
    {
        using SqliteVfs vfs = NewVfs(NewDisk(1));
        using (IndexConnection first = Open(vfs), second = Open(vfs))
        {
            first.Run("PRAGMA journal_mode=WAL; CREATE TABLE t(n INTEGER)");
            second.Run("PRAGMA busy_timeout=0");
            first.Run("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
            Assert.AreEqual(0, second.Scalar("SELECT count(*) FROM t"));
            Assert.AreEqual(P2PErrorCode.InUse, Assert.ThrowsExactly<P2PException>(() => second.Run("BEGIN IMMEDIATE")).Code);

            // A reader keeps what it saw when it began.
            second.Run("BEGIN");
            Assert.AreEqual(0, second.Scalar("SELECT count(*) FROM t"));
            first.Run("COMMIT");
            Assert.AreEqual(0, second.Scalar("SELECT count(*) FROM t"));
            second.Run("COMMIT");
            Assert.AreEqual(1, second.Scalar("SELECT count(*) FROM t"));
            second.Run("INSERT INTO t VALUES(2)");
            Assert.AreEqual(2, first.Scalar("SELECT count(*) FROM t"));
            Assert.IsGreaterThan(0, vfs.OpenFiles);
        }
        Assert.AreEqual(0, vfs.OpenFiles);
        Assert.IsNull(vfs.Disk.FindFile(Path + "-wal"), "the last connection takes the log away");
    }

    [TestMethod]
    public void Connections_share_locks_without_a_log_too()
    {
        using SqliteVfs vfs = NewVfs(NewDisk(1));
        using IndexConnection first = Open(vfs), second = Open(vfs);
        first.Run("PRAGMA journal_mode=DELETE; CREATE TABLE t(n INTEGER)");
        second.Run("PRAGMA busy_timeout=0");
        first.Run("PRAGMA busy_timeout=0");
        first.Run("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
        Assert.AreEqual(P2PErrorCode.InUse, Assert.ThrowsExactly<P2PException>(() => second.Run("BEGIN IMMEDIATE")).Code);
        second.Run("BEGIN");
        Assert.AreEqual(0, second.Scalar("SELECT count(*) FROM t"));

        // A reader holds the commit off; once it is through, the commit goes on.
        Assert.AreEqual(P2PErrorCode.InUse, Assert.ThrowsExactly<P2PException>(() => first.Run("COMMIT")).Code);
        second.Run("COMMIT");
        first.Run("COMMIT");
        Assert.AreEqual(1, second.Scalar("SELECT count(*) FROM t"));
    }

    [TestMethod]
    public void A_full_disk_and_one_that_fails_are_told_apart()
    {
        FaultyDisk disk = NewDisk(1);
        using SqliteVfs vfs = NewVfs(disk);
        using IndexConnection connection = Open(vfs);
        connection.Run("PRAGMA journal_mode=WAL; CREATE TABLE t(n INTEGER)");
        disk.FreeBytes = 100;
        Assert.AreEqual(P2PErrorCode.NoSpace, Assert.ThrowsExactly<P2PException>(() => connection.Run("INSERT INTO t VALUES(1)")).Code);
        disk.Mend();
        disk.FailAfter(1, 1);
        Assert.AreEqual(P2PErrorCode.Store, Assert.ThrowsExactly<P2PException>(() => connection.Run("INSERT INTO t VALUES(1)")).Code);
        connection.Run("INSERT INTO t VALUES(1)");
        Assert.AreEqual(1, connection.Scalar("SELECT count(*) FROM t"));
    }

    [TestMethod]
    public void A_file_layer_that_is_in_use_is_not_taken_away()
    {
        SqliteVfs vfs = NewVfs(NewDisk(1));
        using (Open(vfs))
            Assert.ThrowsExactly<InvalidOperationException>(vfs.Dispose);
        vfs.Dispose();
    }

    private static FaultyDisk NewDisk(ulong seed)
    {
        FaultyDisk disk = new(new SeededRandom(seed), new VirtualTime());
        disk.CreateFolder("/a");
        disk.FlushFolder("/");
        return disk;
    }

    private static SqliteVfs NewVfs(FaultyDisk disk) => new(disk, new SeededRandom(1), new VirtualTime());

    private static IndexConnection Open(SqliteVfs vfs) => IndexConnection.Open(Path, vfs.Name, 1 << 20);
}
