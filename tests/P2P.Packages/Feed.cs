using System.Diagnostics;
using System.Xml.Linq;

namespace P2P.Packages;

/// <summary>The packages as they are packed, and a place to build against them that knows nothing of this repository.</summary>
internal sealed class Feed : IDisposable
{
    /// <summary>Names the folder of the packages.</summary>
    public const string Variable = "P2P_PACKAGES";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("p2p-packages-");
    private readonly string _feed;

    private Feed(string feed)
    {
        _feed = feed;
        File.WriteAllText(this["nuget.config"], $"<configuration><packageSources><add key=\"packed\" value=\"{feed}\" /></packageSources></configuration>");
    }

    /// <summary>The version that all of them have.</summary>
    public static string Version { get; } = XDocument.Load(Path.Combine(Root(), "Directory.Build.props")).Descendants() is var all
        ? $"{all.Single(static one => one.Name.LocalName == "VersionPrefix").Value}-{all.Single(static one => one.Name.LocalName == "VersionSuffix").Value}"
        : "";

    /// <summary>The folder of the samples.</summary>
    public static string Samples => Path.Combine(Root(), "docs", "samples");

    /// <summary>A path in the folder that is built in.</summary>
    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>Opens the feed; or skips the test and says why.</summary>
    public static Feed Open()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } feed)
        {
            Assert.Inconclusive($"needs the packages: dotnet pack -c Release -o FOLDER, then {Variable}=FOLDER");
            throw new UnreachableException();
        }

        return new Feed(Path.GetFullPath(feed));
    }

    /// <summary>The file of a package.</summary>
    public string PathOf(string id, string extension = "nupkg") => Path.Combine(_feed, $"{id}.{Version}.{extension}");

    /// <summary>Builds a sample as a user does, against the packages and the user's own sources.</summary>
    /// <returns>The program.</returns>
    public async Task<string> BuildAsync(string sample, CancellationToken cancellationToken)
    {
        File.Copy(Path.Combine(Samples, $"{sample}.cs"), this[$"{sample}.cs"]);
        await DotnetAsync(cancellationToken, "build", $"{sample}.cs", "-o", this[$"out-{sample}"], "--nologo", "-v", "q");
        return Path.Combine(this[$"out-{sample}"], sample);
    }

    /// <summary>Runs the SDK there and fails when it fails.</summary>
    public async Task DotnetAsync(CancellationToken cancellationToken, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", args) { WorkingDirectory = _folder.FullName };
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(home, ".nuget", "packages");
        start.Environment["NUGET_PACKAGES"] = this["packages"]; // these packages must not stay behind in the user's own
        start.Environment["NUGET_FALLBACK_PACKAGES"] = cache; // what they need is mostly there
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        foreach (string name in start.Environment.Keys.Where(static name => name.StartsWith("MSBuild", StringComparison.Ordinal) || name is "CI" or "DOTNET_CLI_CONTEXT_VERBOSE").ToArray())
            start.Environment.Remove(name);
        await using var run = new ToolRun(start);
        await run.EndAsync(cancellationToken);
        Assert.AreEqual(0, run.ExitCode, $"dotnet {string.Join(' ', args)}: {run}");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Root()
    {
        string folder = AppContext.BaseDirectory; // a path in the source is none of this machine when the build is deterministic
        while (!File.Exists(Path.Combine(folder, "P2P.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not lie in the repository.");
        return folder;
    }
}
