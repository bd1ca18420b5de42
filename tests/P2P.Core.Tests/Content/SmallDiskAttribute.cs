namespace P2P.Core.Tests.Content;

/// <summary>Marks a test that fills a disk: it needs a small one to mount, so root on Linux, and otherwise skips with that reason.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class SmallDiskAttribute : ConditionBaseAttribute
{
    private static readonly Lazy<bool> CanMount = new(() =>
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return false;
        using SmallDisk? disk = SmallDisk.TryMount(1);
        return disk is not null;
    });

    public SmallDiskAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = "needs to mount a small disk: run it as root on Linux";

    public override bool IsConditionMet => CanMount.Value;

    public override string GroupName => nameof(SmallDiskAttribute);
}

/// <summary>A file system in memory of a few MiB, for as long as the object lives.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    public static SmallDisk? TryMount(int mebibytes)
    {
        string path = Directory.CreateTempSubdirectory("p2p-small-disk-").FullName;
        if (Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", path))
            return new SmallDisk(path);
        Directory.Delete(path);
        return null;
    }

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
