using System.Text;
using P2P.Cli.Configuration;

namespace P2P.Cli.Tests.Support;

/// <summary>Runs the tool inside the test: streams, variables and folders are the test's own.</summary>
internal sealed class FakeHost : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();

    public TemporaryFolder Folder { get; } = new();

    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    public string Input { get; set; } = "";

    public bool ErrorIsTerminal { get; set; }

    public string Output => Encoding.UTF8.GetString(_output.ToArray());

    public string Error => Encoding.UTF8.GetString(_error.ToArray());

    public ToolHost Host => new()
    {
        OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(Input)),
        OpenOutput = () => new Unclosed(_output),
        OpenError = () => new Unclosed(_error),
        OutputIsTerminal = false,
        ErrorIsTerminal = ErrorIsTerminal,
        Width = () => 80,
        Environment = name => Variables.GetValueOrDefault(name, name switch { "HOME" => Folder.Path, "P2P_NO_LAN" => "true", "P2P_NAT_MAP_PORTS" => "false", _ => "" }),
        System = HostSystem.Linux,
        CurrentDirectory = Folder.Path,
        Stopping = _stopping.Token,
    };

    public Task<int> RunAsync(params string[] args) => Tool.RunAsync(args, Host);

    public void Dispose()
    {
        _stopping.Dispose();
        Folder.Dispose();
    }

    private sealed class Unclosed(MemoryStream inner) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);
    }
}
