using System.Diagnostics;

namespace P2P.Core.Tests.Node;

/// <summary>Goal: a link can be pasted after a command without quotes. Method: let the shells that are here echo links with every kind of character.</summary>
[TestClass]
public sealed class ShareLinkShellTests
{
    [TestMethod]
    [DataRow("sh", "-c")]
    [DataRow("bash", "-c")]
    [DataRow("bash", "-ic")]
    [DataRow("zsh", "-fc")]
    [DataRow("zsh", "-fic")]
    [DataRow("fish", "-c")]
    [DataRow("pwsh", "-NoProfile -c")]
    public async Task A_link_passes_through_a_shell_unquoted(string shell, string option)
    {
        if (!IsOnPath(shell))
        {
            Assert.Inconclusive($"{shell} is not on this machine");
        }

        PeerId peer = PeerId.Parse("12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV");
        IReadOnlyList<PeerHint> peers = [new(peer, [Multiaddress.Parse("/ip4/192.0.2.7/tcp/24817"), Multiaddress.Parse("/ip6/2001:db8::7/tcp/24817")])];
        byte[] key = [.. Enumerable.Range(200, 32).Select(i => (byte)i)];
        string[] links =
        [
            .. ((string[])["film.mkv", "a b & c;d|e.txt", "~", "~root", "-x", "$HOME `id` $(id)", "[a-z]*?{b,c}", "it's \"quoted\"\\", "日本 📁", "#!%PATH%^", "(x)<y>=z!"])
                .Select(label => ShareLink.Create(Cid.OfRaw([1]), label, peers).ToUriString()),
            ShareLink.CreatePrivate(Cid.OfRaw([2]), key, peers).ToUriString(),
        ];
        Assert.AreEqual(string.Join('\n', links), await EchoAsync(shell, option, $"printf '%s\\n' {string.Join(' ', links)}", links, TestContext.CancellationToken));
    }

    public required TestContext TestContext { get; init; }

    private static async Task<string> EchoAsync(string shell, string option, string command, string[] links, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(shell) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (string part in option.Split(' '))
        {
            start.ArgumentList.Add(part);
        }

        start.ArgumentList.Add(shell == "pwsh" ? $"Write-Output {string.Join(' ', links)}" : command);
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        Assert.AreEqual(0, process.ExitCode, await errors);
        return output.ReplaceLineEndings("\n").TrimEnd('\n');
    }

    private static bool IsOnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name)) || File.Exists(Path.Combine(folder, name + ".exe")));
}
