using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace P2P.Core.Connections;

/// <summary>Tells observers what happened, one event after the other, away from the loops that carry bytes.</summary>
/// <remarks>The queue needs no bound of its own: a connection has at most its coming, its going and one identification in it.</remarks>
internal sealed class ConnectionNotifier
{
    private readonly Channel<Notice> _queue = Channel.CreateUnbounded<Notice>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _gate = new(); // guards the fields below
    private readonly HashSet<Connection> _identified = [];
    private readonly ILogger _logger;
    private readonly Task _loop;
    private IConnectionObserver[] _observers = [];

    public ConnectionNotifier(ILogger logger)
    {
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    public void Observe(IConnectionObserver observer)
    {
        lock (_gate)
        {
            _observers = [.. _observers, observer];
        }
    }

    public void Connected(Connection connection) => _queue.Writer.TryWrite(new Notice(NoticeKind.Connected, connection, ""));

    public void Disconnected(Connection connection, string reason) => _queue.Writer.TryWrite(new Notice(NoticeKind.Disconnected, connection, reason));

    /// <summary>Several identifications before the first is told become one.</summary>
    public void Identified(Connection connection)
    {
        lock (_gate)
        {
            if (!_identified.Add(connection))
            {
                return;
            }
        }

        _queue.Writer.TryWrite(new Notice(NoticeKind.Identified, connection, ""));
    }

    /// <summary>Tells what is queued, then nothing more.</summary>
    public Task StopAsync()
    {
        _queue.Writer.TryComplete();
        return _loop;
    }

    private async Task RunAsync()
    {
        await foreach (Notice notice in _queue.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            IConnectionObserver[] observers;
            lock (_gate)
            {
                if (notice.Kind == NoticeKind.Identified)
                {
                    _identified.Remove(notice.Connection);
                }

                observers = _observers;
            }

            foreach (IConnectionObserver observer in observers)
            {
                try
                {
                    Tell(observer, notice);
                }
                catch (Exception error)
                {
                    ConnectionsLog.ObserverFailed(_logger, error);
                }
            }
        }
    }

    private static void Tell(IConnectionObserver observer, in Notice notice)
    {
        switch (notice.Kind)
        {
            case NoticeKind.Connected:
                observer.OnConnected(notice.Connection);
                break;
            case NoticeKind.Identified:
                observer.OnIdentified(notice.Connection);
                break;
            default:
                observer.OnDisconnected(notice.Connection, notice.Reason);
                break;
        }
    }

    private enum NoticeKind
    {
        Connected,
        Identified,
        Disconnected,
    }

    private readonly record struct Notice(NoticeKind Kind, Connection Connection, string Reason);
}
