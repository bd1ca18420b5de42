using System.Net.Sockets;
using System.Text;
using P2P.Core;

namespace P2P.Cli.Control;

/// <summary>The socket file of a data folder. Whoever holds the folder's lock makes it and removes it; what lies there otherwise was left by a killed process.</summary>
internal static class ControlSocket
{
    private const string Name = "control.sock";
    private const int PathBytesMax = 100; // macOS takes 103, Linux 107
    private const int Backlog = 128; // more at the same moment are told to try again

    public static string PathOf(string folder) => Path.Combine(folder, Name);

    /// <summary>Listens in a folder that this process holds; what was left there is replaced.</summary>
    /// <exception cref="IOException">The file system or the system has no such sockets.</exception>
    public static Socket Listen(string folder)
    {
        Remove(folder);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using var path = new ShortPath(folder);
            socket.Bind(new UnixDomainSocketEndPoint(path.Value));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(PathOf(folder), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(Backlog);
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or UnauthorizedAccessException or ArgumentException)
        {
            socket.Dispose();
            throw new IOException(failure.Message, failure);
        }
    }

    /// <summary>Connects to the owner of a folder.</summary>
    /// <returns>Null when nobody listens.</returns>
    public static async Task<Socket?> TryConnectAsync(string folder, CancellationToken cancellationToken)
    {
        if (!File.Exists(PathOf(folder)))
            return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using var path = new ShortPath(folder);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path.Value), cancellationToken);
            return socket;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AccessDenied)
        {
            socket.Dispose();
            throw new P2PException(P2PErrorCode.Permission, $"The node that runs on {folder} belongs to another user.", refused);
        }
        catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            socket.Dispose();
            return null; // nobody behind it
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Removes the file. Only while the folder's lock is held.</summary>
    public static void Remove(string folder)
    {
        try
        {
            File.Delete(PathOf(folder));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // a socket without a listener: it says "refused" to who tries it
        }
    }

    /// <summary>A name of the socket that fits into a socket address: a deep folder is reached through a link in a folder of our own among the temporary ones.</summary>
    private sealed class ShortPath : IDisposable
    {
        private readonly string? _temporary;

        public ShortPath(string folder)
        {
            Value = PathOf(folder);
            if (Encoding.UTF8.GetByteCount(Value) <= PathBytesMax)
                return;
            _temporary = Directory.CreateTempSubdirectory("p2p-").FullName; // for its owner only
            string link = Path.Combine(_temporary, "d");
            Directory.CreateSymbolicLink(link, folder);
            Value = PathOf(link);
        }

        public string Value { get; }

        // Once bound or connected the name has done its work.
        public void Dispose()
        {
            if (_temporary is null)
                return;
            try
            {
                File.Delete(Path.Combine(_temporary, "d"));
                Directory.Delete(_temporary);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // The system clears its temporary folder.
            }
        }
    }
}
