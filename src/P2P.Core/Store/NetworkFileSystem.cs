using System.Text;

namespace P2P.Core.Store;

/// <summary>Tells whether a path lies on a network file system, where SQLite's write-ahead log is unsafe: its shared memory does not reach other machines.</summary>
internal static class NetworkFileSystem
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "ceph", "9p", "ncpfs", "lustre", "glusterfs", "davfs", "webdav", "beegfs",
        "fuse.sshfs", "fuse.glusterfs", "fuse.davfs2", "fuse.rclone", "fuse.s3fs", "fuse.ceph", "fuse.gcsfuse", "macfuse.sshfs",
    };

    /// <summary>The type of the network file system that the path is on, whether it exists or not; null for a local disk.</summary>
    public static string? Find(string path)
    {
        string existing = NearestExisting(path);
        try
        {
            if (OperatingSystem.IsLinux())
                return FindInMounts(File.ReadLines("/proc/self/mountinfo"), existing);
            if (OperatingSystem.IsWindows() && existing.StartsWith(@"\\", StringComparison.Ordinal))
                return "network share";
            DriveInfo drive = new(existing);
            return drive.DriveType == DriveType.Network || Names.Contains(drive.DriveFormat) ? drive.DriveFormat : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No mount table to be had (a restricted container): nothing speaks against the folder.
            return null;
        }
    }

    /// <summary>Finds the network file system of a path in the lines of Linux's mountinfo (proc(5)).</summary>
    public static string? FindInMounts(IEnumerable<string> lines, string path)
    {
        string best = "", type = "";
        foreach (string line in lines)
        {
            // 36 35 98:0 /root /mount/point options [optional fields] - type source options
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator < 5 || separator + 1 >= fields.Length)
                continue;
            string mount = Unescape(fields[4]);
            if (mount.Length >= best.Length && Contains(mount, path))
                (best, type) = (mount, fields[separator + 1]);
        }
        return Names.Contains(type) ? type : null;
    }

    private static bool Contains(string mount, string path) =>
        path.StartsWith(mount, StringComparison.Ordinal) && (mount.EndsWith('/') || path.Length == mount.Length || path[mount.Length] == '/');

    /// <summary>Space, tab, newline and backslash are written as three octal digits.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        StringBuilder plain = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                plain.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }
        return plain.ToString();
    }

    private static string NearestExisting(string path)
    {
        string? folder = path;
        while (folder is not null && !Directory.Exists(folder))
            folder = Path.GetDirectoryName(folder);
        if (folder is null)
            return path;
        return new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder;
    }
}
