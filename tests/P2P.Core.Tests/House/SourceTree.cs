using System.Text.RegularExpressions;

namespace P2P.Core.Tests.House;

/// <summary>The source files of the library, for tests that hold the architecture against the text.</summary>
internal static partial class SourceTree
{
    /// <summary>The folder of the repository: the one with the solution, above the test binary.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of the library.</summary>
    public static string Library { get; } = Path.Combine(Root, "src", "P2P.Core");

    /// <summary>The rooms: the folders of the library that hold sources.</summary>
    public static IReadOnlyList<string> Rooms { get; } =
        [.. Directory.EnumerateDirectories(Library).Select(folder => Path.GetFileName(folder)!).Where(name => name is not ("bin" or "obj")).Where(name => Files(name).Any()).Order(StringComparer.Ordinal)];

    /// <summary>The sources of a room.</summary>
    public static IEnumerable<string> Files(string room) => Directory.EnumerateFiles(Path.Combine(Library, room), "*.cs", SearchOption.AllDirectories);

    /// <summary>A source without its comments and texts, so that only what is compiled counts.</summary>
    public static string Code(string file) => CommentsAndTexts().Replace(File.ReadAllText(file), match => match.Value.StartsWith('"') ? "\"\"" : " ");

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "P2P.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("The tests run from inside the repository.");
    }

    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"(?!")""", RegexOptions.Singleline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex CommentsAndTexts();
}
