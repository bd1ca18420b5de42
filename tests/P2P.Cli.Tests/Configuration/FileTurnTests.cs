using P2P.Cli.Configuration;
using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.Configuration;

[TestClass]
public sealed class FileTurnTests
{
    /// <summary>Many at once, each adding one to a number in a file: none is lost, and nothing stays behind.</summary>
    [TestMethod]
    public async Task One_at_a_time_has_the_turn()
    {
        using var folder = new TemporaryFolder();
        string path = folder["number"];
        await File.WriteAllTextAsync(path, "0");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
            {
                using FileTurn turn = await FileTurn.TakeAsync(path, TimeProvider.System, CancellationToken.None);
                int number = int.Parse(await File.ReadAllTextAsync(path));
                await Task.Yield();
                FileReplacement.Write(path, System.Text.Encoding.UTF8.GetBytes($"{number + 1}"));
            }
        })));
        Assert.AreEqual("200", await File.ReadAllTextAsync(path));
        Trees.AssertOnly(folder.Path, "number");
    }

    [TestMethod]
    public async Task What_a_killed_process_left_holds_nobody_up()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder[".number.lock"], "left behind by somebody");
        (await FileTurn.TakeAsync(folder["number"], TimeProvider.System, CancellationToken.None)).Dispose();
        Trees.AssertOnly(folder.Path);
    }

    [TestMethod]
    public async Task Who_waits_can_be_ended()
    {
        using var folder = new TemporaryFolder();
        using FileTurn held = await FileTurn.TakeAsync(folder["number"], TimeProvider.System, CancellationToken.None);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAsync<OperationCanceledException>(() => FileTurn.TakeAsync(folder["number"], TimeProvider.System, stop.Token));
    }
}
