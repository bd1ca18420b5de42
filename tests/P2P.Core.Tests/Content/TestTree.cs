using System.Text;
using P2P.Core.Content;

namespace P2P.Core.Tests.Content;

/// <summary>A tree of files for tests: on disk, and as blocks built without the importer, so that each checks the other.</summary>
internal sealed class TestTree
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _links = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, byte[]> Files => _files;

    public static byte[] Random(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public TestTree File(string path, byte[] content)
    {
        _files[path] = content;
        return this;
    }

    public TestTree File(string path, string content) => File(path, Encoding.UTF8.GetBytes(content));

    public TestTree Folder(string path)
    {
        _folders.Add(path);
        return this;
    }

    public TestTree Link(string path, string target)
    {
        _links[path] = target;
        return this;
    }

    public void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string path in _folders)
            Directory.CreateDirectory(Path.Combine(folder, path));
        foreach ((string path, byte[] content) in _files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
            System.IO.File.WriteAllBytes(Path.Combine(folder, path), content);
        }

        foreach ((string path, string target) in _links)
            System.IO.File.CreateSymbolicLink(Path.Combine(folder, path), target);
    }

    public Cid AddTo(MemoryBlocks blocks, UnixFsProfile? profile = null)
    {
        UnixFsProfile layout = profile ?? UnixFsProfile.V1_2025;
        return Build(blocks, layout, "").Cid;
    }

    public static BuiltNode AddFile(MemoryBlocks blocks, byte[] content, UnixFsProfile? profile = null)
    {
        UnixFsProfile layout = profile ?? UnixFsProfile.V1_2025;
        var builder = new BalancedBuilder(layout, blocks.Add);
        foreach (byte[] chunk in content.Length == 0 ? [[]] : content.Chunk(layout.ChunkBytes))
        {
            BuiltNode leaf = LeafEncoder.Encode(layout, chunk, out byte[]? wrapped);
            blocks.Add(leaf.Cid, wrapped ?? chunk);
            builder.Add(leaf);
        }

        return builder.Finish();
    }

    public void AssertIsAt(string folder)
    {
        string[] found = [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal)];
        CollectionAssert.AreEqual(_files.Keys.ToArray(), found);
        foreach ((string path, byte[] content) in _files)
            Assert.IsTrue(content.AsSpan().SequenceEqual(System.IO.File.ReadAllBytes(Path.Combine(folder, path))), path);
        foreach (string path in _folders)
            Assert.IsTrue(Directory.Exists(Path.Combine(folder, path)), path);
        foreach ((string path, string target) in _links)
            Assert.AreEqual(target, new FileInfo(Path.Combine(folder, path)).LinkTarget, path);
    }

    private BuiltNode Build(MemoryBlocks blocks, UnixFsProfile profile, string folder)
    {
        var builder = new DirectoryBuilder(profile, blocks.Add);
        foreach (string name in _files.Keys.Concat(_links.Keys).Concat(_folders.Select(path => path + "/")).Where(path => path.StartsWith(folder, StringComparison.Ordinal))
            .Select(path => path[folder.Length..]).Where(rest => rest.Length > 0).Select(rest => rest.Contains('/') ? rest[..(rest.IndexOf('/') + 1)] : rest).Distinct())
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name.TrimEnd('/'));
            if (name.EndsWith('/'))
            {
                builder.Add(bytes, Build(blocks, profile, folder + name));
            }
            else if (_links.TryGetValue(folder + name, out string? target))
            {
                byte[] link = DagPbCodec.Encode([], new UnixFsData(UnixFsType.Symlink) { Data = Encoding.UTF8.GetBytes(target) }.Encode());
                builder.Add(bytes, new BuiltNode(blocks.AddNode(link), 0, (ulong)link.Length));
            }
            else
            {
                builder.Add(bytes, AddFile(blocks, _files[folder + name], profile));
            }
        }

        return builder.Finish();
    }
}
