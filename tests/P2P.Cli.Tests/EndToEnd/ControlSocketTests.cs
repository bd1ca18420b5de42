using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using P2P.Cli.Control;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>What the control socket takes, line by line: it answers what is asked properly and lets go of everything else.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public sealed class ControlSocketTests : EndToEndTest
{
    private const string Request = """{"p2p":1,"version":"x","args":["shares","--json","--data","A"],"directory":"DIR","environment":{},"output_is_terminal":false,"error_is_terminal":false,"width":80}""";

    [TestMethod]
    public async Task A_request_is_answered_with_the_events_of_the_command_and_its_exit_code()
    {
        await ShareAsync(Folder.File("film.bin", 100_000));
        string[] lines = (await AskAsync(Encoding.UTF8.GetBytes(Request.Replace("DIR", Folder.Path, StringComparison.Ordinal) + "\n"))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.HasCount(3, lines);
        Assert.AreEqual("share", JsonDocument.Parse(lines[0]).RootElement.GetProperty("command").GetString());
        Assert.AreEqual("shared", EventSchemas.Check(lines[1]).GetProperty("event").GetString());
        Assert.AreEqual("""{"exit":0}""", lines[2]);
    }

    [TestMethod]
    [DataRow(""", "height":10""", false)]
    [DataRow(""", "height":60""", true)]
    [DataRow("", true)] // of a build that does not tell
    public async Task A_QR_code_fits_the_terminal_of_who_attached(string height, bool isShown)
    {
        Folder.File("film.bin", 1_000);
        await Start("node", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json").EventAsync("ready");
        string request = Request.Replace("""["shares","--json","--data","A"]""", """["share","film.bin","--qr","--data","A"]""", StringComparison.Ordinal)
            .Replace("DIR", Folder.Path, StringComparison.Ordinal).Replace("\"error_is_terminal\":false", "\"error_is_terminal\":true", StringComparison.Ordinal).Replace("\"width\":80", "\"width\":80" + height, StringComparison.Ordinal);
        string[] lines = (await AskAsync(Encoding.UTF8.GetBytes(request + "\n"))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.AreEqual("""{"exit":0}""", lines[^1]);
        string shown = string.Concat(lines.Select(line => JsonDocument.Parse(line).RootElement).Select(line => line.TryGetProperty("err", out JsonElement text) ? Encoding.UTF8.GetString(text.GetBytesFromBase64()) : ""));
        Assert.AreEqual(isShown, shown.Contains('\u2580'), shown);
        Assert.AreEqual(!isShown, shown.Contains("which this terminal does not have", StringComparison.Ordinal), shown);
    }

    [TestMethod]
    public async Task Who_attaches_tells_the_size_of_its_terminal()
    {
        using var host = new FakeHost { ErrorIsTerminal = true };
        using Socket listener = ControlSocket.Listen(host.Folder.Path);
        Task<ControlClient?> attaching = ControlClient.TryAttachAsync(host.Folder.Path, ["shares"], host.Host with { Width = static () => 70, Height = static () => 10 });
        using (var owner = new ControlChannel(await listener.AcceptAsync()))
        {
            JsonElement request = JsonDocument.Parse((await owner.ReadLineAsync(1 << 20, CancellationToken.None))!.Value).RootElement;
            Assert.AreEqual((70, 10), (request.GetProperty("width").GetInt32(), request.GetProperty("height").GetInt32()));
        }

        Assert.IsNull(await attaching);
    }

    [TestMethod]
    public async Task Another_version_is_refused_and_what_is_no_request_ends_its_connection_only()
    {
        (ToolProcess owner, _) = await ShareAsync(Folder.File("film.bin", 100_000));
        string refused = await AskAsync(Encoding.UTF8.GetBytes(Request.Replace("\"p2p\":1", "\"p2p\":99", StringComparison.Ordinal).Replace("DIR", Folder.Path, StringComparison.Ordinal) + "\n"));
        StringAssert.Contains(JsonDocument.Parse(refused).RootElement.GetProperty("refused").GetString(), "another version");
        Assert.AreEqual("", await AskAsync("nonsense\n"u8.ToArray()));
        Assert.AreEqual("", await AskAsync("null\n"u8.ToArray()));
        Assert.AreEqual("", await AskAsync("{\"p2p\":1}\n"u8.ToArray()));
        Assert.AreEqual("", await AskAsync(Encoding.UTF8.GetBytes(Request + "\n")), "a folder that is not absolute");
        Assert.AreEqual("", await AskAsync(Enumerable.Repeat((byte)'x', 20 << 20).ToArray()), "a line without an end");
        await (await RunAsync("shares", "--data", "A")).ExpectAsync(0);
        owner.Signal(ToolProcess.Interrupt);
        await owner.ExpectAsync(0);
    }

    [TestMethod]
    public async Task So_many_at_once_and_no_more()
    {
        (ToolProcess owner, _) = await ShareAsync(Folder.File("film.bin", 100_000));
        var silent = new List<Socket>();
        for (int i = 0; i < 32; i++)
            silent.Add(await ConnectAsync());
        ToolProcess refused = await RunAsync("shares", "--data", "A", "--json");
        await refused.ExpectAsync(1);
        AssertError("in_use", refused);
        StringAssert.Contains(refused.Events[^1].GetProperty("message").GetString(), $"process {owner.Id}");
        foreach (Socket socket in silent)
            socket.Dispose();
        while (await (await RunAsync("shares", "--data", "A")).ExitAsync() != 0)
            Assert.IsFalse(owner.HasEnded, owner.ToString());
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Folder["A", "control.sock"]));
        return socket;
    }

    /// <summary>Sends bytes and returns all that comes back until the other side has nothing more to say.</summary>
    private async Task<string> AskAsync(byte[] bytes)
    {
        using Socket socket = await ConnectAsync();
        await using var stream = new NetworkStream(socket);
        var answer = new StringBuilder();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        byte[] buffer = new byte[64 << 10];
        try
        {
            await stream.WriteAsync(bytes, deadline.Token);
            int count;
            while (!answer.ToString().Contains("\"exit\"", StringComparison.Ordinal) && (count = await stream.ReadAsync(buffer, deadline.Token)) > 0)
                answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        catch (IOException)
        {
            // it let go of us
        }

        return answer.ToString();
    }
}
