using System.Reflection;

namespace P2P.Cli;

/// <summary>Version and commit, as the build wrote them into the assembly.</summary>
internal static class ToolVersion
{
    private static readonly string s_full = typeof(ToolVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>For example <c>0.1.0-preview.1</c>.</summary>
    public static string Number => s_full.Split('+')[0];

    /// <summary>The commit it was built from; null when it was not built from a repository.</summary>
    public static string? Commit => s_full.Split('+') is [_, var commit] ? commit : null;

    /// <summary>For example <c>p2p 0.1.0-preview.1 (commit 3b81c0e5a4f2)</c>.</summary>
    public static string Text => Commit is { } commit ? $"p2p {Number} (commit {commit[..Math.Min(12, commit.Length)]})" : $"p2p {Number}";
}
