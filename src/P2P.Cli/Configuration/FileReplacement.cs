using System.Security.Cryptography;

namespace P2P.Cli.Configuration;

/// <summary>Replaces a small file so that whoever opens it finds the old or the new one, whole, whatever happens.</summary>
internal static class FileReplacement
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the file: beside it, flushed, then renamed over it. It keeps its permissions; a new one is for its owner only.</summary>
    /// <param name="path">The file.</param>
    /// <param name="before">What it was when it was read; null: it was not there.</param>
    /// <param name="after">What it is to be.</param>
    /// <returns>False, and nothing changed, when it is no longer what it was.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static bool TryWrite(string path, byte[]? before, byte[] after)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}-{RandomNumberGenerator.GetHexString(12, lowercase: true)}.tmp");
        try
        {
            WriteAndFlush(temporary, after, before is null ? null : path);
            if (before is null)
                return TryPublish(temporary, path);
            if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(before))
                return false; // changed while we wrote; what is left of the gap is a few microseconds
            File.Move(temporary, path, overwrite: true);
            return true;
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

    private static bool TryPublish(string temporary, string path)
    {
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
}
