using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace P2P.Core.Identity;

/// <summary>
/// Creates a small secret file so that after any crash it is there whole or not at all, that it never replaces another, and that nobody but its
/// owner can read it at any moment. On Windows the folder's access list, which the user's profile restricts, does the last.
/// </summary>
internal static partial class OwnerOnlyFile
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;

    /// <summary>Numbers that Linux, macOS and the BSDs share.</summary>
    private const int ErrorNotPermitted = 1, ErrorExists = 17, ErrorInvalid = 22;

    private const int ErrorNoEntry = 2;
    private const int ErrorNoSpace = 28;
    private const string TemporarySuffix = ".tmp";
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Writes the bytes under the name.</summary>
    /// <returns>False, and nothing changed, if the name is taken.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    internal static bool TryCreate(string path, ReadOnlySpan<byte> content)
    {
        string fullPath = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(fullPath) ?? throw new ArgumentException("The path names no file.", nameof(path));
        CreateFolder(folder);

        string temporary = Path.Combine(folder, $"{TemporaryPrefix(fullPath)}{RandomNumberGenerator.GetHexString(12, lowercase: true)}{TemporarySuffix}");
        try
        {
            WriteAndFlush(temporary, content);
            if (!TryPublish(temporary, fullPath))
                return false;
        }
        finally
        {
            File.Delete(temporary);
        }

        if (!OperatingSystem.IsWindows())
            FlushFolder(folder);
        return true;
    }

    /// <summary>
    /// Removes what processes that died while they created the file have left: copies of a secret that never got its name. Only once the file is there;
    /// whoever is creating it at this moment then finds that the name is taken.
    /// </summary>
    internal static void RemoveUnfinished(string path)
    {
        string fullPath = Path.GetFullPath(path);
        try
        {
            foreach (string temporary in Directory.EnumerateFiles(Path.GetDirectoryName(fullPath)!, $"{TemporaryPrefix(fullPath)}*{TemporarySuffix}"))
                File.Delete(temporary);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // As secret as the file itself; the next start tries again.
        }
    }

    internal static bool IsDiskFull(IOException exception) => exception.HResult is ErrorNoSpace or WindowsDiskFull;

    private static string TemporaryPrefix(string path) => $".{Path.GetFileName(path)}-";

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerFolder);
    }

    private static void WriteAndFlush(string path, ReadOnlySpan<byte> content)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerFile;
        using FileStream file = new(path, options);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    /// <summary>
    /// Gives the finished file its name. On Unix by a hard link, which fails when the name is taken; File.Move checks first and renames then,
    /// so two processes could both succeed. File systems without hard links (FAT) fall back to it.
    /// </summary>
    private static bool TryPublish(string temporary, string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (Link(temporary, path) == 0)
                return true;
            int error = Marshal.GetLastPInvokeError();
            if (error == ErrorExists || (error == ErrorNoEntry && File.Exists(path)))
                return false; // taken, or the temporary was removed by whoever saw that it is
            if (error != ErrorNotPermitted && error != ErrorNotSupported)
                throw new IOException($"The file '{path}' cannot be created: {Marshal.GetPInvokeErrorMessage(error)}.", error);
        }

        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    /// <summary>Makes the new name itself durable. File systems that cannot flush a folder say "invalid" or "not supported", and then there is no more to do.</summary>
    [UnsupportedOSPlatform("windows")]
    private static void FlushFolder(string folder)
    {
        const int readOnly = 0;
        int descriptor = Open(folder, readOnly);
        int error = 0;
        if (descriptor < 0 || FlushDescriptor(descriptor) != 0)
            error = Marshal.GetLastPInvokeError();
        if (descriptor >= 0)
            _ = Close(descriptor);
        if (error != 0 && error != ErrorInvalid && error != ErrorNotSupported)
            throw new IOException($"The folder '{folder}' cannot be flushed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    /// <summary>EOPNOTSUPP on Linux, ENOTSUP on macOS and the BSDs.</summary>
    private static int ErrorNotSupported => OperatingSystem.IsLinux() ? 95 : 45;

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FlushDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
