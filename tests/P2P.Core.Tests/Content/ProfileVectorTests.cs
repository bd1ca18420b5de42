using System.Text;
using System.Text.Json;
using P2P.Core.Blocks;
using P2P.Core.Content;
using P2P.Core.Primitives;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>The published content ids of both profiles (IPIP-0499), content made by the rule in the file.</summary>
[TestClass]
public sealed class ProfileVectorTests
{
    private static JsonElement All => JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("unixfs", "ipip-0499-profile-vectors.json"))).RootElement;

    [TestMethod]
    [Vectors]
    public async Task Files_have_the_published_ids()
    {
        foreach (JsonElement item in All.GetProperty("files").EnumerateArray().Where(item => !item.TryGetProperty("slow", out _)))
            await AssertFileAsync(item);
    }

    [TestMethod]
    [Vectors]
    [SlowTest]
    public async Task Files_of_a_gibibyte_have_the_published_ids()
    {
        foreach (JsonElement item in All.GetProperty("files").EnumerateArray().Where(item => item.TryGetProperty("slow", out _)))
            await AssertFileAsync(item);
    }

    [TestMethod]
    [Vectors]
    public void Folders_have_the_published_ids_and_are_sharded_above_the_limit()
    {
        string alphabet = All.GetProperty("alphabet").GetString()!;
        foreach (JsonElement item in All.GetProperty("directories").EnumerateArray())
        {
            UnixFsProfile profile = ProfileOf(item);
            int count = item.GetProperty("files").GetInt32(), length = item.GetProperty("nameLen").GetInt32(), last = item.GetProperty("lastNameLen").GetInt32();
            using var names = new KeyStream(item.GetProperty("seed").GetString()!, long.MaxValue);
            BuiltNode file = LeafEncoder.Encode(profile, "x"u8, out _);
            byte[] root = [];
            var builder = new DirectoryBuilder(profile, (in Cid _, ReadOnlySpan<byte> block) => root = block.ToArray());
            for (int i = 0; i < count; i++)
            {
                byte[] name = new byte[i == count - 1 ? last : length];
                names.ReadExactly(name);
                builder.Add([.. name.Select(value => (byte)alphabet[value % alphabet.Length])], file);
            }

            Assert.AreEqual(item.GetProperty("cid").GetString(), builder.Finish().Cid.ToString());
            UnixFsType type = ContentNode.Decode(Cid.OfDagPb(root), root).Data.Type;
            Assert.AreEqual(item.GetProperty("type").GetString() == "HAMTShard" ? UnixFsType.HamtShard : UnixFsType.Directory, type);
        }
    }

    [TestMethod]
    [Vectors]
    public void The_hash_of_names_has_the_published_values()
    {
        using JsonDocument vectors = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("unixfs", "murmur3-x64-64.json")));
        foreach (JsonElement item in vectors.RootElement.GetProperty("vectors").EnumerateArray())
        {
            ulong hash = Murmur3.Hash64(Encoding.UTF8.GetBytes(item.GetProperty("utf8").GetString()!));
            Assert.AreEqual(item.GetProperty("h1BigEndianHex").GetString(), hash.ToString("x16"));
        }
    }

    [TestMethod]
    public void The_best_known_ids_come_out()
    {
        Cid Empty(UnixFsProfile profile) => new DirectoryBuilder(profile, static (in Cid _, ReadOnlySpan<byte> _) => { }).Finish().Cid;
        Assert.AreEqual("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", Empty(UnixFsProfile.V0_2015).ToString());
        Assert.AreEqual("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354", Empty(UnixFsProfile.V1_2025).ToString());
        Assert.AreEqual("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", LeafEncoder.Encode(UnixFsProfile.V0_2015, [], out _).Cid.ToString());
        Assert.AreEqual("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", LeafEncoder.Encode(UnixFsProfile.V1_2025, [], out _).Cid.ToString());
    }

    private static UnixFsProfile ProfileOf(JsonElement item) =>
        item.GetProperty("profile").GetString() == UnixFsProfile.V0_2015.Name ? UnixFsProfile.V0_2015 : UnixFsProfile.V1_2025;

    private static async Task AssertFileAsync(JsonElement item)
    {
        Stream content = item.TryGetProperty("content", out JsonElement text)
            ? new MemoryStream(Encoding.UTF8.GetBytes(text.GetString()!["utf8:".Length..]))
            : new KeyStream(item.GetProperty("seed").GetString()!, item.GetProperty("size").GetInt64());
        var importer = new Importer(null, new BlockBufferPool(), new ImportOptions { Profile = ProfileOf(item), Workers = 2 });
        ImportResult result = await importer.ImportAsync(content, default, null, CancellationToken.None);
        Assert.AreEqual(item.GetProperty("cid").GetString(), result.Root.ToString(), item.ToString());
    }
}
