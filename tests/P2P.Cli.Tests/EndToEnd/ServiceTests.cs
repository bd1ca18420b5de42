using System.Net;
using System.Net.Sockets;
using System.Text;
using P2P.Cli.Control;
using P2P.Cli.Output;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd;

/// <summary>A node that systemd runs: it says when it is ready and when it ends, and how urgent each line of its log is.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
public sealed class ServiceTests : EndToEndTest
{
    [TestMethod]
    [Timeout(120_000)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task The_manager_hears_when_the_node_is_ready_and_when_it_ends(bool isAbstract)
    {
        string name = isAbstract ? $"@p2p-test-{Guid.NewGuid():n}" : Folder["notify"];
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name[1..] : name));
        await using ToolProcess node = ToolProcess.Start(Folder, new Dictionary<string, string> { ["NOTIFY_SOCKET"] = name }, "node", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        Assert.AreEqual("READY=1", await NextAsync(manager));
        await node.EventAsync("ready");
        Assert.AreEqual("STATUS=0 peers, nothing was sent", await NextAsync(manager));
        node.Signal(ToolProcess.Terminate);
        Assert.AreEqual("STOPPING=1", await NextAsync(manager));
        await node.ExpectAsync(0);
    }

    [TestMethod]
    [Timeout(120_000)]
    public async Task A_manager_that_does_not_listen_changes_nothing()
    {
        await using ToolProcess node = ToolProcess.Start(Folder, new Dictionary<string, string> { ["NOTIFY_SOCKET"] = Folder["nobody"] }, "node", "--data", "A", "--listen", "/ip4/127.0.0.1/tcp/0", "--json");
        await node.EventAsync("ready");
        node.Signal(ToolProcess.Terminate);
        await node.ExpectAsync(0);
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("")]
    [DataRow("/")]
    [DataRow("vsock:2:1234")]
    public void What_is_no_socket_of_a_manager_is_none(string? name) => Assert.IsNull(ServiceManager.Of(name, TimeProvider.System));

    [TestMethod]
    public void A_name_that_is_too_long_is_none() => Assert.IsNull(ServiceManager.Of("/" + new string('x', 500), TimeProvider.System));

    [TestMethod]
    public void Each_line_for_the_journal_says_how_urgent_it_is()
    {
        using var written = new MemoryStream();
        var screen = new Screen(written, isTerminal: false, colours: false, quiet: false, () => 80, isJournal: true);
        screen.Line("one\ntwo");
        screen.Important("three");
        screen.Important("four", Priority.Debug);
        screen.Error("five");
        Assert.AreEqual("<6>one\n<6>two\n<4>three\n<7>four\n<3>p2p: five\n", Encoding.UTF8.GetString(written.ToArray()));
    }

    [TestMethod]
    [Timeout(60_000)]
    [DataRow("${l//[^0-9]/}", "<3>p2p: A link is missing")]
    [DataRow("1", "p2p: A link is missing")]
    public async Task Standard_error_is_the_journal_when_it_is_the_socket_that_the_system_named(string inode, string expected)
    {
        using var journal = new TcpListener(IPAddress.Loopback, 0);
        journal.Start();
        string line = $"exec 2>/dev/tcp/127.0.0.1/{((IPEndPoint)journal.LocalEndpoint).Port}; l=$(readlink /proc/$$/fd/2); JOURNAL_STREAM=8:{inode} exec \"$P2P\" fetch";
        await using ToolProcess shell = ToolProcess.StartShell(Folder, "bash", line);
        using TcpClient connection = await journal.AcceptTcpClientAsync();
        using var reader = new StreamReader(connection.GetStream());
        StringAssert.StartsWith(await reader.ReadToEndAsync(), expected);
        await shell.ExpectAsync(2);
    }

    private static async Task<string> NextAsync(Socket manager)
    {
        byte[] buffer = new byte[1000];
        return Encoding.UTF8.GetString(buffer, 0, await manager.ReceiveAsync(buffer));
    }
}
