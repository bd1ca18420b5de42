using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace P2P.Core.Identity;

/// <summary>
/// The file that keeps our identity: the protobuf private key, readable by its owner only. It is created whole or not at all, and one that
/// cannot be read is never replaced, because the peer id in everybody's links would be lost with it.
/// </summary>
internal static class IdentityFile
{
    private const UnixFileMode ForOthers =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Loads the identity, or creates one. Processes that do so at the same time end up with the same identity.</summary>
    /// <exception cref="P2PException">The file is damaged, or may not be read or written.</exception>
    internal static IdentityKey LoadOrCreate(string path, ILogger? logger = null)
    {
        if (TryLoad(path, logger) is { } existing)
        {
            OwnerOnlyFile.RemoveUnfinished(path);
            return existing;
        }

        IdentityKey created = IdentityKey.Generate();
        if (Create(path, created))
        {
            IdentityLog.Created(logger ?? NullLogger.Instance, created.PeerId, path);
            return created;
        }

        created.Dispose();
        return TryLoad(path, logger) ?? throw new P2PException(
            P2PErrorCode.Store,
            $"The identity file '{path}' appeared and vanished again while it was being created. Make sure that only P2P uses the folder, then try again.");
    }

    /// <summary>Loads the identity.</summary>
    /// <returns>The identity, or null if there is no such file.</returns>
    /// <exception cref="P2PException">The file is damaged, or may not be read.</exception>
    internal static IdentityKey? TryLoad(string path, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Span<byte> buffer = stackalloc byte[IdentityKey.MaxEncodedBytes + 1];
        try
        {
            if (Read(path, buffer, logger ?? NullLogger.Instance) is not { } length)
                return null;
            if (IdentityKey.TryDecodePrivateKey(buffer[..length], out IdentityKey? key, out string? error))
                return key;
            throw new P2PException(
                P2PErrorCode.Store,
                $"The identity file '{path}' is damaged: {error}. Restore it from a copy, or move it away to start with a new identity.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static int? Read(string path, Span<byte> buffer, ILogger logger)
    {
        try
        {
            using FileStream file = new(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 0 });
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & ForOthers) != 0)
            {
                File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                IdentityLog.Tightened(logger, path);
            }

            // One byte more than any key has, so that a longer file is not mistaken for its beginning.
            return file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new P2PException(
                P2PErrorCode.Permission,
                $"The identity file '{path}' may not be read, or others can read it and that may not be changed. Run as its owner, or choose another data folder.",
                exception);
        }
        catch (IOException exception)
        {
            throw new P2PException(P2PErrorCode.Store, $"The identity file '{path}' cannot be read: {exception.Message}", exception);
        }
    }

    /// <returns>False if a file of that name came into being meanwhile.</returns>
    private static bool Create(string path, IdentityKey key)
    {
        byte[] encoded = key.EncodePrivateKey();
        try
        {
            return OwnerOnlyFile.TryCreate(path, encoded);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new P2PException(
                P2PErrorCode.Permission, $"The identity file '{path}' may not be created. Make its folder writable, or choose another data folder.", exception);
        }
        catch (IOException exception)
        {
            P2PErrorCode code = OwnerOnlyFile.IsDiskFull(exception) ? P2PErrorCode.NoSpace : P2PErrorCode.Store;
            throw new P2PException(code, $"The identity file '{path}' cannot be created: {exception.Message}", exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(encoded);
        }
    }
}
