namespace P2P.Core.Store;

/// <summary>Finds out what happened to a shared file, and says it.</summary>
internal static class SourceDiagnosis
{
    /// <summary>Looks why a file could not be had.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="path">The file.</param>
    /// <param name="error">What came of opening or reading it; null when its identity could not be read.</param>
    public static SourceChange Find(IDisk disk, string path, Exception? error = null)
    {
        try
        {
            if (disk.TryGetIdentity(path, out _))
                return error is UnauthorizedAccessException ? SourceChange.Denied : SourceChange.Unreadable;
            bool isDanglingLink = disk.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint) && !disk.FolderExists(path);
            return isDanglingLink ? SourceChange.Missing : SourceChange.NotAFile;
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return SourceChange.Missing;
        }
        catch (UnauthorizedAccessException)
        {
            return SourceChange.Denied;
        }
        catch (IOException)
        {
            return SourceChange.Unreadable;
        }
    }

    /// <summary>What happened, and what to do about it.</summary>
    public static string Describe(string path, SourceChange change) => change switch
    {
        SourceChange.Missing => $"The shared file {path} is not there any more: it was moved or deleted, or its disk is not mounted. Put it back and it is served again, or share it at its new place.",
        SourceChange.NotAFile => $"The shared file {path} is not there any more: something that is no file, such as a folder, has its name now. Put the file back and it is served again, or share what is there.",
        SourceChange.Denied => $"The shared file {path} may not be read any more: the system refuses it. Give this user the permission to read it and to enter its folders, and it is served again.",
        SourceChange.Unreadable => $"The shared file {path} cannot be read: its disk or file system fails. Look after the disk, or put the file back from a copy; it is served again when it can be read.",
        _ => $"The shared file {path} was changed; what differs is no longer served. Share it again to serve what it holds now.",
    };
}
