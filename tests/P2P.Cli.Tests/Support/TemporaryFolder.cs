namespace P2P.Cli.Tests.Support;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("p2p-cli-test-").FullName;

    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes a file of deterministic, incompressible bytes, every block another one.</summary>
    public string File(string name, long bytes, int seed = 1)
    {
        string path = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        var random = new Random(seed);
        byte[] chunk = new byte[(int)Math.Min(bytes, 1 << 20)];
        using FileStream file = System.IO.File.Create(path);
        for (long left = bytes; left > 0; left -= chunk.Length)
        {
            random.NextBytes(chunk);
            file.Write(chunk, 0, (int)Math.Min(left, chunk.Length));
        }

        return path;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // a process that was just killed may still hold a file
        }
    }
}
