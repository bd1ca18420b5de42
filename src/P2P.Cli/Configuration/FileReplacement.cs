using System.Security.Cryptography;

namespace P2P.Cli.Configuration;

/// <summary>Replaces a small file so that whoever opens it finds the old or the new one, whole, whatever happens.</summary>
internal static class FileReplacement
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the file: beside it, flushed, then renamed over it. It keeps its permissions; a new one is for its owner only.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static void Write(string path, byte[] content)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}-{RandomNumberGenerator.GetHexString(12, lowercase: true)}.tmp");
        try
        {
            WriteAndFlush(temporary, content, like: File.Exists(path) ? path : null);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary); // no longer there when all went well
        }
    }

    private static void WriteAndFlush(string path, byte[] content, string? like)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using FileStream file = new(path, options);
        if (like is not null && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(file.SafeFileHandle, File.GetUnixFileMode(like));
        file.Write(content);
        file.Flush(flushToDisk: true);
    }
}
