using System.Text.Json;
using P2P.Cli.Configuration;

namespace P2P.Cli.Control;

/// <summary>One attached command in the owner's process: the command's own body runs here, on the owner's node, with the streams, variables and folder of the process that attached.</summary>
internal sealed class AttachedRun(ControlChannel channel, SharedNode shared, TimeProvider time) : IDisposable
{
    /// <summary>What the body returns when its owner ends; no exit code.</summary>
    public const int Abandoned = -1;

    private readonly Attachment _attachment = new(shared);
    private readonly CancellationTokenSource _stopping = new();
    private readonly RemoteInput _input = new(channel);
    private volatile int _width = 80, _height = int.MaxValue;
    private bool _hasGone; // the other side; read after the body only

    /// <summary>Takes the request, runs it and sends its exit code.</summary>
    /// <param name="refusal">Why it is not taken; null to take it.</param>
    /// <exception cref="IOException">The other side has gone.</exception>
    /// <exception cref="JsonException">It spoke something else.</exception>
    public async Task RunAsync(string? refusal)
    {
        AttachRequest request;
        using (var patience = new CancellationTokenSource(ControlLimits.HelloTimeout, time))
        {
            if (await channel.ReadLineAsync(ControlLimits.RequestBytesMax, patience.Token) is not { } line)
                return;
            request = JsonSerializer.Deserialize(line.Span, ControlJson.Default.AttachRequest) ?? throw new JsonException();
            if (!request.IsValid)
                throw new JsonException();
        }

        if (request.P2p != ControlLimits.ProtocolVersion)
            refusal = $"The node that runs on this folder is of another version (process {Environment.ProcessId}, {ToolVersion.Number}; this command: {request.Version}). End it, or use one version.";
        string[] peers = [.. shared.Settings.PeersOfNode];
        var answer = new AttachAnswer(ControlLimits.ProtocolVersion, ToolVersion.Number, Environment.ProcessId, shared.Command, shared.Settings.NetworkOfNode, shared.Listen, peers)
        {
            Refused = refusal,
            Up = shared.Settings.UpOfNode,
            Down = shared.Settings.DownOfNode,
        };
        await channel.SendAsync(answer, ControlJson.Default.AttachAnswer, CancellationToken.None);
        if (refusal is not null)
            return;

        (_width, _height) = (request.Width, request.Height ?? int.MaxValue);
        Task listening = ListenAsync();
        int exit = await Tool.RunAsync([.. request.Args], HostOf(request));
        if (_hasGone)
            return;
        await channel.SendAsync(exit == Abandoned ? new OwnerLine { Gone = true } : new OwnerLine { Exit = exit }, ControlJson.Default.OwnerLine, CancellationToken.None);
        await listening.WaitAsync(ControlLimits.HelloTimeout, time); // the other side closes: nothing of what it was sent is lost
    }

    /// <summary>The owner ends: the command lets go of the node.</summary>
    public void Abandon()
    {
        if (!_stopping.IsCancellationRequested)
            _attachment.Abandon();
        Stop();
    }

    public void Dispose()
    {
        channel.Dispose();
        _input.End();
    }

    private ToolHost HostOf(AttachRequest request) => new()
    {
        OpenInput = () => _input,
        OpenOutput = () => new RemoteOutput(channel, isError: false),
        OpenError = () => new RemoteOutput(channel, isError: true),
        OutputIsTerminal = request.OutputIsTerminal,
        ErrorIsTerminal = request.ErrorIsTerminal,
        Width = () => _width,
        Height = () => _height,
        Environment = name => request.Environment.GetValueOrDefault(name),
        System = OperatingSystem.IsWindows() ? HostSystem.Windows : OperatingSystem.IsMacOS() ? HostSystem.MacOS : HostSystem.Linux,
        CurrentDirectory = request.Directory,
        Time = time,
        Stopping = _stopping.Token,
        Attachment = _attachment,
    };

    /// <summary>Hears the other side until it goes; that it goes ends the command.</summary>
    private async Task ListenAsync()
    {
        try
        {
            while (await channel.ReadLineAsync(ControlLimits.LineBytesMax, CancellationToken.None) is { } line)
            {
                AttachedLine message = JsonSerializer.Deserialize(line.Span, ControlJson.Default.AttachedLine) ?? throw new JsonException();
                if (message.In is { } bytes)
                    _input.Receive(bytes);
                else if (message.End == true)
                    _input.End();
                else if (message.Stop == true)
                    Stop();
                else
                    (_width, _height) = (message.Width ?? _width, message.Height ?? _height);
            }
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            // gone, or speaks something else: ended below
        }

        _hasGone = true;
        _input.End();
        Stop();
    }

    private void Stop() => ThreadPool.UnsafeQueueUserWorkItem(static stopping => stopping.Cancel(), _stopping, preferLocal: false);
}
