using System.Net.Sockets;
using System.Text;

namespace P2P.Cli.Control;

/// <summary>Tells the program that started us as a service how we are, by datagrams to the socket that it names (sd_notify(3)). One that does not listen changes nothing.</summary>
internal sealed class ServiceManager
{
    private static readonly TimeSpan s_pace = TimeSpan.FromSeconds(10);

    private readonly UnixDomainSocketEndPoint _socket;
    private readonly TimeProvider _time;
    private string _status = "";
    private long? _told;

    private ServiceManager(UnixDomainSocketEndPoint socket, TimeProvider time) => (_socket, _time) = (socket, time);

    /// <summary>The one that the environment names.</summary>
    /// <param name="name">The value of <c>NOTIFY_SOCKET</c>: a path, or behind @ a name in the kernel's own space.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Null: there is none, or one of a kind that we do not know.</returns>
    public static ServiceManager? Of(string? name, TimeProvider time)
    {
        if (name is not ['/' or '@', _, ..])
            return null;
        try
        {
            return new ServiceManager(new UnixDomainSocketEndPoint(name[0] == '@' ? '\0' + name[1..] : name), time);
        }
        catch (Exception error) when (error is ArgumentException or PlatformNotSupportedException)
        {
            return null; // too long, or no such sockets here
        }
    }

    /// <summary>The service works: what waits for it may begin.</summary>
    public void Ready() => Send("READY=1");

    /// <summary>The service has begun to end.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <summary>What it does, in a line for whoever asks; told when it has changed, and not more often than every ten seconds.</summary>
    public void Status(string text)
    {
        if (text == _status || (_told is { } told && _time.GetElapsedTime(told) < s_pace))
            return;
        (_status, _told) = (text, _time.GetTimestamp());
        Send("STATUS=" + text);
    }

    private void Send(string message)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            socket.SendTo(Encoding.UTF8.GetBytes(message), _socket);
        }
        catch (SocketException)
        {
            // nobody listens, or too slowly: the work goes on
        }
    }
}
