using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace P2P.Core.Content;

/// <summary>
/// Keeps a second fetch away from the same target, whatever it fetches: a small file beside it that says who holds it and that ends with the process.
/// </summary>
internal sealed class TargetLock : IDisposable
{
    private const int MaxTries = 16;
    private const int MaxNoteBytes = 64;

    private readonly SafeFileHandle _handle;
    private readonly string _path;

    private TargetLock(string path, SafeFileHandle handle) => (_path, _handle) = (path, handle);

    /// <summary>Takes the target.</summary>
    /// <exception cref="P2PException">InUse: another fetch has it; the message names its process.</exception>
    public static TargetLock Take(string targetPath)
    {
        string path = PathOf(targetPath);
        for (int i = 0; i < MaxTries; i++)
        {
            SafeFileHandle handle = Open(path, targetPath);
            if (!OperatingSystem.IsLinux() || IsStillThere(path, handle))
            {
                byte[] note = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
                RandomAccess.SetLength(handle, 0);
                RandomAccess.Write(handle, note, 0);
                return new TargetLock(path, handle);
            }

            handle.Dispose(); // its last holder removed it between our opening and our locking
        }

        throw InUse(targetPath, null);
    }

    /// <summary>Removes the lock that a killed fetch left of a target that nobody will take again. One that is held stays.</summary>
    public static void RemoveLeftover(string targetPath)
    {
        if (!File.Exists(PathOf(targetPath)))
            return;
        try
        {
            Take(targetPath).Dispose();
        }
        catch (P2PException held) when (held.Code == P2PErrorCode.InUse)
        {
            // its holder removes it
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Delete(_path); // before it is let go, so that nobody can lock a name that is about to vanish unseen
        _handle.Dispose();
    }

    private static string PathOf(string targetPath) =>
        Path.Combine(Path.GetDirectoryName(targetPath)!, $".p2p-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(targetPath)))[..16]}.lock");

    private static SafeFileHandle Open(string path, string targetPath)
    {
        if (!OperatingSystem.IsLinux())
        {
            try
            {
                return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Delete);
            }
            catch (IOException error)
            {
                throw InUse(targetPath, null, error);
            }
        }

        SafeFileHandle handle = TargetDisk.OpenFile(path, mustBeNew: false);
        if (LinuxCalls.Lock(handle) == 0)
            return handle;
        using (handle)
        {
            Span<byte> note = stackalloc byte[MaxNoteBytes];
            string holder = Encoding.ASCII.GetString(note[..RandomAccess.Read(handle, note, 0)]);
            throw InUse(targetPath, int.TryParse(holder, NumberStyles.None, CultureInfo.InvariantCulture, out int process) ? process : null);
        }
    }

    private static bool IsStillThere(string path, SafeFileHandle handle) =>
        LinuxCalls.Look(handle, out LinuxCalls.FileFacts ours) == 0 && LinuxCalls.Look(path, out LinuxCalls.FileFacts there) == 0 && ours.Inode == there.Inode;

    private static P2PException InUse(string targetPath, int? process, Exception? inner = null) =>
        new(P2PErrorCode.InUse, $"'{targetPath}' is being fetched already by {(process is { } id ? $"process {id}" : "another process")}. Wait for it or choose another place.", inner) { IsTransient = true };
}
