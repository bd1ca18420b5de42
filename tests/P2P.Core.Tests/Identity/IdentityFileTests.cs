using System.Runtime.Versioning;
using P2P.Core.Identity;

namespace P2P.Core.Tests.Identity;

/// <summary>Goal: an identity is never lost, never read by others, never two for one folder. Method: real files in a temporary folder.</summary>
[TestClass]
public sealed class IdentityFileTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string _folder = "";

    private string FilePath => Path.Combine(_folder, "identity");

    [TestInitialize]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("p2p-identity-").FullName;

    [TestCleanup]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void The_identity_stays_the_same_and_leaves_one_file()
    {
        Assert.IsNull(IdentityFile.TryLoad(FilePath));
        using IdentityKey created = IdentityFile.LoadOrCreate(FilePath);
        using IdentityKey again = IdentityFile.LoadOrCreate(FilePath);
        using IdentityKey? loaded = IdentityFile.TryLoad(FilePath);

        Assert.AreEqual(created.PeerId, again.PeerId);
        Assert.AreEqual(created.PeerId, loaded!.PeerId);
        Assert.IsTrue(created.PublicKey.Verify([1, 2, 3], loaded.Sign([1, 2, 3])));
        CollectionAssert.AreEqual(new[] { FilePath }, Directory.GetFileSystemEntries(_folder));
        CollectionAssert.AreEqual(created.EncodePrivateKey(), File.ReadAllBytes(FilePath));
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [UnsupportedOSPlatform("windows")]
    public void Only_the_owner_can_read_it()
    {
        string deep = Path.Combine(_folder, "new", "identity");
        IdentityFile.LoadOrCreate(deep).Dispose();

        Assert.AreEqual(OwnerOnly, File.GetUnixFileMode(deep));
        Assert.AreEqual(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(deep)!));
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [UnsupportedOSPlatform("windows")]
    public void A_file_that_others_can_read_is_tightened()
    {
        IdentityFile.LoadOrCreate(FilePath).Dispose();
        File.SetUnixFileMode(FilePath, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        IdentityFile.TryLoad(FilePath)!.Dispose();

        Assert.AreEqual(OwnerOnly, File.GetUnixFileMode(FilePath));
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(67)]
    [DataRow(69)]
    [DataRow(1_000_000)]
    public void A_damaged_file_is_named_and_left_alone(int length)
    {
        byte[] content = new byte[length];
        IdentityFile.LoadOrCreate(FilePath).Dispose();
        File.ReadAllBytes(FilePath).AsSpan(0, Math.Min(length, 68)).CopyTo(content);
        File.WriteAllBytes(FilePath, content);

        P2PException exception = Assert.ThrowsExactly<P2PException>(() => IdentityFile.LoadOrCreate(FilePath));
        Assert.AreEqual(P2PErrorCode.Store, exception.Code);
        Assert.Contains(FilePath, exception.Message);
        CollectionAssert.AreEqual(content, File.ReadAllBytes(FilePath));
    }

    [TestMethod]
    public void A_flipped_bit_is_noticed()
    {
        IdentityFile.LoadOrCreate(FilePath).Dispose();
        byte[] content = File.ReadAllBytes(FilePath);
        for (int position = 0; position < content.Length; position++)
        {
            byte[] changed = [.. content];
            changed[position] ^= 0x10;
            File.WriteAllBytes(FilePath, changed);
            Assert.ThrowsExactly<P2PException>(() => IdentityFile.TryLoad(FilePath), $"byte {position}");
        }
    }

    [TestMethod]
    public void What_a_process_left_that_died_while_it_created_the_file_goes_at_the_next_start()
    {
        Directory.CreateDirectory(_folder);
        string left = Path.Combine(_folder, ".identity-0123456789ab.tmp"), other = Path.Combine(_folder, ".identity.old");
        File.WriteAllText(left, "half a key");
        File.WriteAllText(other, "not ours");
        using IdentityKey created = IdentityFile.LoadOrCreate(FilePath);
        Assert.IsTrue(File.Exists(left), "before the file is there another process may be about to create it");
        using IdentityKey loaded = IdentityFile.LoadOrCreate(FilePath);
        Assert.AreEqual(created.PeerId, loaded.PeerId);
        CollectionAssert.AreEquivalent(new[] { FilePath, other }, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void Many_creators_at_once_get_one_identity()
    {
        PeerId[] ids = new PeerId[16];
        Parallel.For(0, ids.Length, new ParallelOptions { MaxDegreeOfParallelism = ids.Length }, i =>
        {
            using IdentityKey key = IdentityFile.LoadOrCreate(FilePath);
            ids[i] = key.PeerId;
        });

        Assert.HasCount(1, ids.Distinct());
        CollectionAssert.AreEqual(new[] { FilePath }, Directory.GetFileSystemEntries(_folder));
    }

    [TestMethod]
    public void A_taken_name_is_never_replaced()
    {
        File.WriteAllText(FilePath, "mine");
        Assert.IsFalse(OwnerOnlyFile.TryCreate(FilePath, [1, 2, 3]));
        Assert.AreEqual("mine", File.ReadAllText(FilePath));
        CollectionAssert.AreEqual(new[] { FilePath }, Directory.GetFileSystemEntries(_folder));
    }

    [TestMethod]
    public void A_folder_in_its_place_is_an_error_with_a_sentence()
    {
        Directory.CreateDirectory(FilePath);
        P2PException exception = Assert.ThrowsExactly<P2PException>(() => IdentityFile.LoadOrCreate(FilePath));
        Assert.Contains(FilePath, exception.Message);
        Assert.IsTrue(Directory.Exists(FilePath));
    }

    [TestMethod]
    public void A_file_in_place_of_its_folder_is_an_error_with_a_sentence()
    {
        File.WriteAllText(FilePath, "no folder");
        P2PException exception = Assert.ThrowsExactly<P2PException>(() => IdentityFile.LoadOrCreate(Path.Combine(FilePath, "identity")));
        Assert.Contains(FilePath, exception.Message);
    }
}
