namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>Something to share: where it lies, how it is shared, and its link once the tool has printed one. From then on it must be served, whatever is killed.</summary>
internal sealed class KillShare(string path, bool isInput)
{
    /// <summary>The file or folder; what is piped in comes from a file too.</summary>
    public string Path { get; } = path;

    /// <summary>Whether it goes through standard input, so that the data folder keeps its bytes.</summary>
    public bool IsInput { get; } = isInput;

    public bool IsTree { get; } = Directory.Exists(path);

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The link, once it was printed.</summary>
    public string? Link { get; set; }

    public string Root => Link!.Split('/')[2];
}
