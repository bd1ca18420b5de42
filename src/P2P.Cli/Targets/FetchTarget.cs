using System.Runtime.InteropServices;
using P2P.Cli.Configuration;

namespace P2P.Cli.Targets;

/// <summary>Decides where a fetch writes.</summary>
internal static class FetchTarget
{
    /// <summary>
    /// Without <c>-o</c>: under <paramref name="name"/> in the current folder. With a folder that exists, or a path that ends in a separator
    /// (created if need be): in it, under that name. Otherwise exactly that path, whose parent must exist.
    /// </summary>
    /// <returns>An absolute path.</returns>
    /// <exception cref="UsageException">The parent does not exist.</exception>
    public static string Resolve(string? output, string name, string currentDirectory)
    {
        if (string.IsNullOrEmpty(output))
            return Path.Combine(currentDirectory, name);
        string full = Path.GetFullPath(output, currentDirectory);
        if (Path.EndsInDirectorySeparator(output))
        {
            if (File.Exists(Path.TrimEndingDirectorySeparator(full)))
                throw new UsageException($"{Path.TrimEndingDirectorySeparator(output)} is a file, not a folder. Leave out the separator at the end to name it as the target.");
            Directory.CreateDirectory(full);
            return Path.Combine(full, name);
        }

        if (Directory.Exists(full))
            return Path.Combine(full, name);
        string? parent = Path.GetDirectoryName(full);
        if (parent is not null && !Directory.Exists(parent))
            throw new UsageException($"The folder {parent} does not exist. Create it first, or give another target with -o.");
        return full;
    }

    /// <summary>Whether <see cref="Resolve"/> needs to know the name.</summary>
    public static bool NeedsName(string? output, string currentDirectory) =>
        string.IsNullOrEmpty(output) || Path.EndsInDirectorySeparator(output) || Directory.Exists(Path.GetFullPath(output, currentDirectory));

    /// <summary>The path as a person reads it: <c>./NAME</c> in the current folder, <c>~</c> for the home, otherwise whole.</summary>
    public static string Display(string path, string currentDirectory, string? home)
    {
        if (IsBelow(path, currentDirectory))
            return "." + Path.DirectorySeparatorChar + path[Path.TrimEndingDirectorySeparator(currentDirectory).Length..].TrimStart(Path.DirectorySeparatorChar);
        if (home is not null && IsBelow(path, home))
            return "~" + path[Path.TrimEndingDirectorySeparator(home).Length..];
        return path;
    }

    /// <summary>The system as the library names it.</summary>
    public static OSPlatform PlatformOf(HostSystem system) => system switch
    {
        HostSystem.Windows => OSPlatform.Windows,
        HostSystem.MacOS => OSPlatform.OSX,
        _ => OSPlatform.Linux,
    };

    private static bool IsBelow(string path, string folder)
    {
        string prefix = Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
        return prefix.Length > 2 && path.StartsWith(prefix, StringComparison.Ordinal);
    }
}
