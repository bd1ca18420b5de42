using System.Diagnostics;

namespace P2P.Core.Tests.Content;

/// <summary>Marks a test that needs a disk with copy-on-write clones: XFS in a file, so root on Linux with mkfs.xfs, and otherwise skips with that reason.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class CloningDiskAttribute : ConditionBaseAttribute
{
    private static readonly Lazy<bool> CanMount = new(() =>
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return false;
        using CloningDisk? disk = CloningDisk.TryMount();
        return disk is not null;
    });

    public CloningDiskAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = "needs to mount an XFS disk: run it as root on Linux with xfsprogs";

    public override bool IsConditionMet => CanMount.Value;

    public override string GroupName => nameof(CloningDiskAttribute);
}

/// <summary>An XFS file system in a sparse file, for as long as the object lives.</summary>
internal sealed class CloningDisk : IDisposable
{
    private const long ImageBytes = 320L << 20; // the least that mkfs.xfs makes

    private readonly string _folder;

    private CloningDisk(string folder) => _folder = folder;

    public string Path => System.IO.Path.Combine(_folder, "disk");

    public static CloningDisk? TryMount()
    {
        string folder = Directory.CreateTempSubdirectory("p2p-cloning-disk-").FullName;
        var disk = new CloningDisk(folder);
        string image = System.IO.Path.Combine(folder, "image");
        Directory.CreateDirectory(disk.Path);
        using (FileStream file = File.Create(image))
            file.SetLength(ImageBytes);
        if (TryRun("mkfs.xfs", "-q", "-m", "reflink=1", image) && TryRun("mount", "-o", "loop", image, disk.Path))
            return disk;
        Directory.Delete(folder, recursive: true);
        return null;
    }

    public void Dispose()
    {
        TryRun("umount", Path);
        Directory.Delete(_folder, recursive: true);
    }

    private static bool TryRun(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // not installed
        }
    }
}
