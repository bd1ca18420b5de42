using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace P2P.Cli.Control;

/// <summary>Who is at the other end of a local socket. The folder's and the socket's modes keep others out already; on Linux the kernel is asked besides.</summary>
internal static partial class PeerUser
{
    private const int SocketLevel = 1;       // SOL_SOCKET
    private const int PeerCredentials = 17;  // SO_PEERCRED: process, user, group, 4 bytes each
    private const uint Root = 0;

    /// <summary>Whether it is this user, or root, who may do everything anyway.</summary>
    public static bool IsOwn(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
            return true;
        Span<byte> credentials = stackalloc byte[12];
        if (socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) < credentials.Length)
            return false;
        uint user = BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..]);
        return user == Root || user == EffectiveUser();
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
