using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using P2P.Core.Connections;

namespace P2P.Core.Tests.Connections;

/// <summary>Goal: a name leads to the addresses of a peer, and no name makes us ask or keep without bound. Method: texts made up here, and a name server of the test's own.</summary>
[TestClass]
public sealed class NamedAddressesTests
{
    private const string Peer = "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN", Other = "QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa";

    private readonly Dictionary<string, List<string>> _texts = [];
    private readonly List<string> _asked = [];

    public required TestContext TestContext { get; init; }

    [TestMethod]
    public async Task Addresses_of_the_peer_are_found_behind_a_name_behind_a_name()
    {
        _texts["_dnsaddr.a.test"] = [$"dnsaddr=/dnsaddr/b.a.test/p2p/{Peer}", $"dnsaddr=/dnsaddr/c.a.test/p2p/{Other}", "v=spf1 -all", "dnsaddr=nonsense", $"dnsaddr=/ip4/8.8.4.4/tcp/1/p2p/{Other}", "dnsaddr=/ip4/8.8.4.4/tcp/1"];
        _texts["_dnsaddr.b.a.test"] = [$"dnsaddr=/ip4/8.8.8.8/tcp/4001/p2p/{Peer}", $"dnsaddr=/dns4/h.test/tcp/4001/p2p/{Peer}", $"dnsaddr=/ip4/8.8.8.8/tcp/4001/p2p/{Peer}"];
        CollectionAssert.AreEqual(new[] { "/ip4/8.8.8.8/tcp/4001", "/dns4/h.test/tcp/4001" }, await FindAsync("a.test"));
        CollectionAssert.AreEqual(new[] { "_dnsaddr.a.test", "_dnsaddr.b.a.test" }, _asked);
    }

    [TestMethod]
    public async Task Names_are_followed_two_levels_and_none_twice()
    {
        _texts["_dnsaddr.a.test"] = [$"dnsaddr=/dnsaddr/a.test/p2p/{Peer}", $"dnsaddr=/dnsaddr/b.test/p2p/{Peer}"];
        _texts["_dnsaddr.b.test"] = [$"dnsaddr=/dnsaddr/c.test/p2p/{Peer}"];
        _texts["_dnsaddr.c.test"] = [$"dnsaddr=/ip4/8.8.8.8/tcp/4001/p2p/{Peer}"];
        IOException error = await Assert.ThrowsExactlyAsync<IOException>(() => FindAsync("a.test"));
        Assert.AreEqual("a.test names no address of this peer (texts of _dnsaddr.a.test)", error.Message);
        CollectionAssert.AreEqual(new[] { "_dnsaddr.a.test", "_dnsaddr.b.test" }, _asked);
    }

    [TestMethod]
    public async Task A_name_with_thousands_of_texts_gives_sixteen_addresses_and_asks_about_sixteen_names()
    {
        _texts["_dnsaddr.a.test"] = [.. Enumerable.Range(0, 1000).SelectMany(static i => new[] { $"dnsaddr=/dnsaddr/n{i}.test/p2p/{Peer}", $"dnsaddr=/ip4/8.8.{i / 250}.{i % 250}/tcp/1/p2p/{Peer}" })];
        Assert.HasCount(NamedAddresses.MaxAnswers, await FindAsync("a.test"));
        Assert.HasCount(1 + NamedAddresses.MaxAnswers, _asked);
    }

    [TestMethod]
    public async Task One_name_that_cannot_be_resolved_does_not_spoil_the_others()
    {
        _texts["_dnsaddr.a.test"] = [$"dnsaddr=/dnsaddr/broken.test/p2p/{Peer}", $"dnsaddr=/dnsaddr/b.test/p2p/{Peer}"];
        _texts["_dnsaddr.b.test"] = [$"dnsaddr=/ip4/8.8.8.8/tcp/4001/p2p/{Peer}"];
        Assert.HasCount(1, await FindAsync("a.test"));
        Assert.AreEqual("no name server answers", (await Assert.ThrowsExactlyAsync<IOException>(() => FindAsync("broken.test"))).Message);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Texts_are_read_from_a_name_server_also_those_that_need_tcp()
    {
        await using var server = new NameServer([["dnsaddr=/ip4/8.8.8.8/tcp/4001/p2p/", Peer], ["v=spf1 -all"]]);
        CollectionAssert.AreEqual(new[] { $"dnsaddr=/ip4/8.8.8.8/tcp/4001/p2p/{Peer}", "v=spf1 -all" }, (await NameTexts.QueryAsync(server.EndPoint, "_dnsaddr.a.test", TestContext.CancellationToken)).ToArray());
        Assert.AreEqual("_dnsaddr.a.test", server.Asked);

        await using var large = new NameServer([.. Enumerable.Range(0, 100).Select(static i => new[] { $"dnsaddr=/ip4/8.8.8.{i}/tcp/4001/p2p/{Peer}" })]);
        Assert.HasCount(100, await NameTexts.QueryAsync(large.EndPoint, "_dnsaddr.a.test", TestContext.CancellationToken));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_name_server_that_refuses_or_talks_nonsense_is_a_failure_in_words()
    {
        await using var refuses = new NameServer([]) { Code = 5 };
        Assert.StartsWith("the name server answers", (await Assert.ThrowsExactlyAsync<IOException>(() => NameTexts.QueryAsync(refuses.EndPoint, "a.test", TestContext.CancellationToken))).Message);
        await using var knowsNone = new NameServer([]) { Code = 3 };
        Assert.IsEmpty(await NameTexts.QueryAsync(knowsNone.EndPoint, "a.test", TestContext.CancellationToken));
        await using var babbles = new NameServer([["x"]]) { CutBytes = 1 };
        await Assert.ThrowsExactlyAsync<IOException>(() => NameTexts.QueryAsync(babbles.EndPoint, "a.test", TestContext.CancellationToken));
        await Assert.ThrowsExactlyAsync<IOException>(() => NameTexts.QueryAsync(knowsNone.EndPoint, new string('a', 300), TestContext.CancellationToken));
    }

    private async Task<string[]> FindAsync(string name) =>
        [.. (await new NamedAddresses(ReadAsync).FindAsync(name, PeerId.Parse(Peer, null), TestContext.CancellationToken)).Select(static address => address.ToString())];

    private Task<IReadOnlyList<string>> ReadAsync(string name, CancellationToken cancellationToken)
    {
        _asked.Add(name);
        return name.Contains("broken", StringComparison.Ordinal) ? throw new IOException("no name server answers") : Task.FromResult<IReadOnlyList<string>>(_texts.GetValueOrDefault(name, []));
    }

    /// <summary>A name server on the loopback interface that has texts for every name, in one UDP packet if they fit, otherwise by TCP.</summary>
    private sealed class NameServer : IAsyncDisposable
    {
        private readonly string[][] _texts;
        private readonly TcpListener _tcp = new(IPAddress.Loopback, 0);
        private readonly UdpClient _udp;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _work;

        public NameServer(string[][] texts)
        {
            _texts = texts;
            _tcp.Start();
            EndPoint = (IPEndPoint)_tcp.LocalEndpoint;
            _udp = new UdpClient(EndPoint);
            _work = Task.WhenAll(AnswerUdpAsync(), AnswerTcpAsync());
        }

        public IPEndPoint EndPoint { get; }

        public string Asked { get; private set; } = "";

        public byte Code { get; init; }

        /// <summary>So many bytes at the end are not sent.</summary>
        public int CutBytes { get; init; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _udp.Dispose();
            _tcp.Dispose();
            _stop.Dispose();
        }

        private async Task AnswerUdpAsync()
        {
            while (true)
            {
                UdpReceiveResult question = await _udp.ReceiveAsync(_stop.Token);
                byte[] answer = Answer(question.Buffer, _texts, isCut: false);
                if (answer.Length > 512)
                    answer = Answer(question.Buffer, [], isCut: true);
                await _udp.SendAsync(answer.AsMemory(0, answer.Length - CutBytes), question.RemoteEndPoint, _stop.Token);
            }
        }

        private async Task AnswerTcpAsync()
        {
            while (true)
            {
                using TcpClient client = await _tcp.AcceptTcpClientAsync(_stop.Token);
                NetworkStream stream = client.GetStream();
                byte[] length = new byte[2];
                await stream.ReadExactlyAsync(length, _stop.Token);
                byte[] question = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(question, _stop.Token);
                byte[] answer = Answer(question, _texts, isCut: false);
                answer = answer[..^CutBytes];
                await stream.WriteAsync(new byte[] { (byte)(answer.Length >> 8), (byte)answer.Length }.Concat(answer).ToArray(), _stop.Token);
            }
        }

        private byte[] Answer(byte[] question, string[][] texts, bool isCut)
        {
            int end = 12;
            List<string> labels = [];
            for (; question[end] != 0; end += question[end] + 1)
                labels.Add(Encoding.ASCII.GetString(question, end + 1, question[end]));
            Asked = string.Join('.', labels);
            List<byte> answer = [.. question[..2], (byte)(isCut ? 0x87 : 0x85), (byte)(0x80 | Code), 0, 1, (byte)(texts.Length >> 8), (byte)texts.Length, 0, 0, 0, 0, .. question[12..(end + 5)]];
            foreach (string[] record in texts)
            {
                byte[] data = [.. record.SelectMany(static text => new[] { (byte)text.Length }.Concat(Encoding.ASCII.GetBytes(text)))];
                answer.AddRange([0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length, .. data]);
            }

            return [.. answer];
        }
    }
}
