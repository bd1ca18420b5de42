using System.Net.Sockets;
using System.Text.Json;
using P2P.Cli.Configuration;
using P2P.Cli.Output;
using P2P.Core;

namespace P2P.Cli.Control;

/// <summary>The attached side: hands the command line to the process that owns the folder and is its standard streams until it ends.</summary>
internal sealed class ControlClient : IDisposable
{
    private static readonly string[] s_variables = ["HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_DATA_HOME", "NO_COLOR", "TERM", "P2P_CONFIG"];
    private static readonly TimeSpan s_sizePace = TimeSpan.FromSeconds(1);

    private readonly ControlChannel _channel;
    private readonly ToolHost _host;

    private ControlClient(ControlChannel channel, ToolHost host) => (_channel, _host) = (channel, host);

    /// <summary>Whom it is attached to.</summary>
    public AttachAnswer Owner { get; private set; } = new(0, "", 0, "", "", [], []);

    /// <summary>Attaches a command line.</summary>
    /// <returns>Null when no process of this tool owns the folder.</returns>
    /// <exception cref="P2PException">There is one and it refuses.</exception>
    public static async Task<ControlClient?> TryAttachAsync(string folder, IReadOnlyList<string> args, ToolHost host)
    {
        if (await ControlSocket.TryConnectAsync(folder, host.Stopping) is not { } socket)
            return null;
        var client = new ControlClient(new ControlChannel(socket), host);
        try
        {
            if (!PeerUser.IsOwn(socket))
                throw new P2PException(P2PErrorCode.Permission, $"The node that runs on {folder} belongs to another user.");
            await client.GreetAsync(args);
            return client;
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            client.Dispose();
            return null; // it ended at this moment
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Runs to the end of the command.</summary>
    /// <returns>Its exit code; null when the owner ended before it.</returns>
    public async Task<int?> RunAsync(Stream output, Stream error, Func<Stream> openInput)
    {
        using var over = new CancellationTokenSource();
        await using CancellationTokenRegistration stop = _host.Stopping.Register(() => _ = TellAsync(new AttachedLine { Stop = true }));
        Task size = TellSizeAsync(over.Token);
        Task feeding = Task.CompletedTask;
        Stream? input = null;
        try
        {
            while (await _channel.ReadLineAsync(ControlLimits.LineBytesMax, CancellationToken.None) is { } line)
            {
                if (line.Span.StartsWith("{\"event\":"u8))
                {
                    await output.WriteAsync(new ReadOnlyMemory<byte>([.. line.Span, (byte)'\n']), CancellationToken.None);
                    continue;
                }

                OwnerLine message = JsonSerializer.Deserialize(line.Span, ControlJson.Default.OwnerLine) ?? throw new JsonException();
                if (message.Exit is { } exit)
                    return exit;
                if (message.Gone == true)
                    return null;
                if (message.Out is { } bytes)
                    await output.WriteAsync(bytes, CancellationToken.None);
                else if (message.Err is { } messages)
                    Show(error, messages);
                else if (message.Want is { } count)
                    feeding = FeedAsync(feeding, input ??= openInput(), count, over.Token);
            }

            return null;
        }
        catch (Exception failure) when (failure is IOException and not ClosedPipeException)
        {
            return null;
        }
        finally
        {
            await over.CancelAsync();
            await size;
            await feeding;
            if (input is not null)
                await input.DisposeAsync();
        }
    }

    public void Dispose() => _channel.Dispose();

    private async Task GreetAsync(IReadOnlyList<string> args)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in SettingKey.All.Select(key => key.Variable).Concat(s_variables))
        {
            if (_host.Environment(name) is { Length: > 0 } value)
                environment[name] = value;
        }

        var request = new AttachRequest(ControlLimits.ProtocolVersion, ToolVersion.Number, args, _host.CurrentDirectory, environment, _host.OutputIsTerminal, _host.ErrorIsTerminal, Size().Width) { Height = Size().Height };
        await _channel.SendAsync(request, ControlJson.Default.AttachRequest, _host.Stopping);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_host.Stopping);
        patience.CancelAfter(ControlLimits.HelloTimeout);
        try
        {
            if (await _channel.ReadLineAsync(ControlLimits.LineBytesMax, patience.Token) is not { } line)
                throw new IOException("The owner ended.");
            Owner = JsonSerializer.Deserialize(line.Span, ControlJson.Default.AttachAnswer) ?? throw new JsonException();
        }
        catch (JsonException fault)
        {
            throw new P2PException(P2PErrorCode.InUse, "The process that holds the data folder speaks another language on its control socket. End it, or use one version.", fault);
        }
        catch (OperationCanceledException) when (!_host.Stopping.IsCancellationRequested)
        {
            throw new P2PException(P2PErrorCode.InUse, "The process that holds the data folder does not answer. End it, or choose another data folder.") { IsTransient = true };
        }

        if (Owner.Refused is { } refusal)
            throw new P2PException(P2PErrorCode.InUse, refusal);
    }

    // What was read and not used is lost with the process, as with a pipe.
    private async Task FeedAsync(Task before, Stream input, int count, CancellationToken cancellationToken)
    {
        await before; // what it sent may be answered with the next wish before it has ended itself
        try
        {
            byte[] buffer = new byte[Math.Clamp(count, 1, ControlLimits.ChunkBytes)];
            int read = await input.ReadAsync(buffer, cancellationToken);
            await TellAsync(read == 0 ? new AttachedLine { End = true } : new AttachedLine { In = buffer[..read] });
        }
        catch (OperationCanceledException)
        {
            // the command has ended
        }
        catch (IOException)
        {
            await TellAsync(new AttachedLine { End = true });
        }
    }

    private async Task TellSizeAsync(CancellationToken cancellationToken)
    {
        if (!_host.ErrorIsTerminal)
            return;
        (int Width, int? Height) told = Size();
        using var timer = new PeriodicTimer(s_sizePace, _host.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (Size() is var now && now != told)
                    await TellAsync(new AttachedLine { Width = now.Width, Height = now.Height });
                told = now;
            }
        }
        catch (OperationCanceledException)
        {
            // the command has ended
        }
    }

    private async Task TellAsync(AttachedLine line)
    {
        try
        {
            await _channel.SendAsync(line, ControlJson.Default.AttachedLine, CancellationToken.None);
        }
        catch (IOException)
        {
            // the reading side notices
        }
    }

    private (int Width, int? Height) Size() => _host.ErrorIsTerminal ? (_host.Width(), _host.Height()) : (80, null);

    private static void Show(Stream error, byte[] messages)
    {
        try
        {
            error.Write(messages);
            error.Flush();
        }
        catch (IOException)
        {
            // nobody reads the messages; the work goes on
        }
    }
}
