using System.Security.Cryptography;
using P2P.Core;

namespace P2P.Cli.Configuration;

/// <summary>
/// Whose turn it is to change a file that is read, edited and replaced: without it the later of two processes would undo what the earlier one did. A lock on
/// a file beside it, which goes with the turn; what a killed process leaves of it holds nobody up. Readers need none: they find the old file or the new one.
/// </summary>
internal sealed class FileTurn : IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>A turn takes milliseconds: who has none by then waits for a process that is stopped.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly FileStream _lock;
    private readonly string _name;

    private FileTurn(FileStream held, string name) => (_lock, _name) = (held, name);

    private static int ErrorHeld => OperatingSystem.IsWindows() ? unchecked((int)0x80070020) // ERROR_SHARING_VIOLATION
        : OperatingSystem.IsLinux() ? 11 : 35; // EWOULDBLOCK

    /// <summary>Waits for the turn.</summary>
    /// <exception cref="P2PException">It did not come.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static async Task<FileTurn> TakeAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        string beside = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.lock");
        long since = time.GetTimestamp();
        while (true)
        {
            if (TryTake(beside) is { } turn)
                return turn;
            if (time.GetElapsedTime(since) > s_patience)
                throw new P2PException(P2PErrorCode.InUse, $"Another process is changing {path} and does not come to an end. Look for a stopped \"p2p config\", and try again.") { IsTransient = true };
            await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
            File.Delete(_name); // while it is held: afterwards it may be the next one's
        _lock.Dispose();
    }

    private static FileTurn? TryTake(string name)
    {
        FileStream held;
        try
        {
            held = new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
        }
        catch (IOException taken) when (taken.HResult == ErrorHeld)
        {
            return null;
        }
        catch (UnauthorizedAccessException) when (OperatingSystem.IsWindows() && File.Exists(name))
        {
            return null; // being deleted
        }

        bool isOurs = false;
        try
        {
            isOurs = OperatingSystem.IsWindows() || IsStillNamed(held, name);
            return isOurs ? new FileTurn(held, name) : null;
        }
        finally
        {
            if (!isOurs)
                held.Dispose();
        }
    }

    /// <summary>
    /// On Unix a file can be locked whose name its last owner has just removed; who comes next would make, and lock, another. So it is marked, by a time that
    /// it was never written at, and the file of that name has to have the mark. (To read a mark inside it, it would have to be locked again.)
    /// </summary>
    private static bool IsStillNamed(FileStream held, string name)
    {
        File.SetLastWriteTimeUtc(held.SafeFileHandle, DateTime.UnixEpoch.AddSeconds(RandomNumberGenerator.GetInt32(int.MaxValue)));
        return File.GetLastWriteTimeUtc(name) == File.GetLastWriteTimeUtc(held.SafeFileHandle); // a name that is gone has the year 1601
    }
}
