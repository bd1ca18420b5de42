using P2P.Core.Connections;

namespace P2P.Core.Tests.Connections;

/// <summary>Goal: who waits for work that runs is let go when it has ended, whoever adds more meanwhile, and each failure is told.</summary>
[TestClass]
public sealed class BackgroundWorkTests
{
    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Who_begins_to_wait_while_work_is_being_added_is_let_go()
    {
        // between being known and being forgotten in the end there is a moment in which a waiter comes first
        for (int round = 0; round < 3_000; round++)
        {
            var work = new BackgroundWork(static _ => { });
            var ended = new TaskCompletionSource();
            using var start = new Barrier(2);
            Task wait = Task.Run(() => WaitAsync(work, start, ended.Task), TestContext.CancellationToken);
            start.SignalAndWait(TestContext.CancellationToken);
            Thread.SpinWait(100);
            work.Add(ended.Task);
            Thread.SpinWait(100);
            Task end = Task.Run(ended.SetResult, TestContext.CancellationToken); // whoever ends work must not be caught by who waits for it
            await Task.WhenAll(wait, end).WaitAsync(TestContext.CancellationToken);
        }

        static async Task WaitAsync(BackgroundWork work, Barrier start, Task ended)
        {
            start.SignalAndWait();
            while (!ended.IsCompleted)
                await work.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    [TestMethod]
    public async Task What_fails_is_told_and_what_is_begun_meanwhile_is_waited_for()
    {
        List<string> told = [];
        var work = new BackgroundWork(error => told.Add(error.Message));
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();
        work.Run(async () =>
        {
            await first.Task;
            work.Add(second.Task);
            throw new IOException("broken");
        });
        Task wait = work.WaitAsync(TestContext.CancellationToken);
        first.SetResult();
        await Task.Delay(50, TestContext.CancellationToken);
        Assert.IsFalse(wait.IsCompleted);
        second.SetResult();
        await wait;
        Assert.AreEqual("broken", told.Single());
    }
}
