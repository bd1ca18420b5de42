using System.Security.Cryptography;

namespace P2P.Interop;

/// <summary>A folder for one test, gone with it.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("p2p-interop-").FullName;

    public string Path(string name) => System.IO.Path.Combine(_root, name);

    /// <summary>Writes a file that holds the pattern and returns its path.</summary>
    public string Write(string name, long bytes, int seed)
    {
        string path = Path(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        using FileStream file = File.Create(path);
        using var content = new PatternStream(bytes, seed);
        content.CopyTo(file, 1 << 20);
        return path;
    }

    public string Sha256(string name)
    {
        using FileStream file = File.OpenRead(Path(name));
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
