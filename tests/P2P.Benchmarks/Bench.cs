using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace P2P.Benchmarks;

/// <summary>What the cases share: scratch data, the published tool, medians, processes and their cost.</summary>
internal static class Bench
{
    public static string Scratch { get; } = Directory.CreateDirectory(Environment.GetEnvironmentVariable("P2P_BENCH_DATA") ?? Path.Combine(Path.GetTempPath(), "p2p-bench-own")).FullName;

    /// <summary>The folder of the peers to measure beside, or null.</summary>
    public static string? Peers { get; } = Environment.GetEnvironmentVariable("P2P_BENCH") is { Length: > 0 } folder && Directory.Exists(folder) ? folder : null;

    /// <summary>A file of random bytes, made once.</summary>
    public static string RandomFile(long bytes)
    {
        string path = Path.Combine(Scratch, $"random-{bytes}.bin");
        if (File.Exists(path) && new FileInfo(path).Length == bytes)
            return path;
        using FileStream file = File.Create(path);
        byte[] piece = new byte[1 << 20];
        for (long left = bytes; left > 0; left -= piece.Length)
        {
            RandomNumberGenerator.Fill(piece);
            file.Write(piece, 0, (int)Math.Min(left, piece.Length));
        }

        return path;
    }

    /// <summary>A fresh, empty folder path that does not exist yet.</summary>
    public static string Fresh(string name)
    {
        string path = Path.Combine(Scratch, name);
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        File.Delete(path);
        return path;
    }

    /// <summary>Reads a file once, so that both sides of a comparison find it in the page cache.</summary>
    public static void Warm(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] piece = new byte[1 << 20];
        while (file.Read(piece) > 0)
        {
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    public static void Row(string text) => Console.WriteLine(text);

    public static string F(double value, string format = "F2") => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>The tool, published as its users get it.</summary>
    public static async Task<string> PublishToolAsync()
    {
        string output = Path.Combine(Scratch, "p2p-tool");
        string root = RepositoryRoot();
        await RunAsync("dotnet", ["publish", Path.Combine(root, "src", "P2P.Cli"), "-c", "Release", "-r", System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier, "--self-contained", "false", "-o", output, "-v", "q", "--nologo"]);
        return Path.Combine(output, "p2p");
    }

    public static string RepositoryRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "P2P.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Run the benchmarks from the checkout.");
        return folder;
    }

    /// <summary>Runs a program to its end and returns its output; fails when it fails.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        using Process process = Start(program, arguments, folder);
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}");
    }

    public static Process Start(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = folder ?? Scratch };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
